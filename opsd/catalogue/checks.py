"""What checks of hosts say."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "check.unreadable": Sentence(
        "không hiểu câu trả lời của máy cho `{read}`",
        "the host's answer for `{read}` cannot be understood",
        "chạy lệnh đó trên máy để xem: opsd check --debug",
        "run it on the host to see: opsd check --debug",
    ),
    "check.unheard": Sentence(
        "không có câu trả lời nào từ {since}",
        "no answer since {since}",
        "xem máy có tới được không, và opsd có đang chạy không: opsd checks",
        "see whether the host can be reached and opsd runs: opsd checks",
    ),
    "check.gone": Sentence(
        "trước đây có, nay không còn thấy",
        "it was there, and is not seen any more",
        "nếu đã cố ý bỏ đi thì không cần làm gì: sau một ngày opsd sẽ quên",
        "if it was taken away on purpose do nothing: opsd forgets it after a day",
    ),
    "check.load": Sentence(
        "tải 5 phút {load} trên {processors} bộ xử lý",
        "five-minute load {load} on {processors} processors",
    ),
}
