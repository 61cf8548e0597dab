"""The configuration: one typed YAML file, and every mistake of it in one go."""
