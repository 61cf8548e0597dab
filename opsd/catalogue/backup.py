"""Sentences of the backup."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {}
