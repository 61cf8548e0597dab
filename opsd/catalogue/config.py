"""Sentences of the config."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {}
