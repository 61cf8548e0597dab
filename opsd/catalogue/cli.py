"""Sentences of the cli."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {}
