"""Content: one file is one check. Checks arrive with the monitoring of hosts."""
