"""What checks of hosts say."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "check.unreadable": Sentence(
        "không hiểu câu trả lời của máy cho `{read}`",
        "the host's answer for `{read}` cannot be understood",
        "chạy lệnh đó trên máy để xem: opsd check --debug",
        "run it on the host to see: opsd check --debug",
    ),
    "check.load": Sentence(
        "tải 5 phút {load} trên {processors} bộ xử lý",
        "five-minute load {load} on {processors} processors",
    ),
}
