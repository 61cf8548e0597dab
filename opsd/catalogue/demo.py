"""Sentences of the demo."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {}
