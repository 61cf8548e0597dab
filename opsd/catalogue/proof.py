"""Sentences of the proof."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {}
