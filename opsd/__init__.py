"""opsd: backups that are proved, for systems that must not lose data."""

__version__ = "0.1.0"
