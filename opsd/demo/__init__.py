"""The demo: a small but real dossier system for opsd to protect.

A private PostgreSQL cluster, a tree of scans and a web front, as a Vietnamese one-stop office has
them. Everything in it is invented, and is the same for the same seed.
"""
