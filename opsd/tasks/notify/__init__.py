"""Telling people: who is called, by which channel, in which words, until it has arrived."""
