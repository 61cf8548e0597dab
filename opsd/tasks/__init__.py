"""Use cases: observe, judge, act, record."""
