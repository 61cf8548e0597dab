"""Watching: ask, judge, and keep what was found."""
