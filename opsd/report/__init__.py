"""What opsd knows, as text for people and as JSON for programs."""
