"""Short words that stand in front of something."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "label.detail": Sentence("chi tiết", "detail"),
    "label.remedy": Sentence("việc cần làm", "what to do"),
    "label.yes": Sentence("có", "yes"),
    "label.no": Sentence("không", "no"),
}
