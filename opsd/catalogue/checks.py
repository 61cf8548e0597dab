"""What checks of hosts say."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "check.unreadable": Sentence(
        "không hiểu câu trả lời của máy cho `{read}`",
        "the host's answer for `{read}` cannot be understood",
        "chạy lệnh đó trên máy để xem: opsd check --debug",
        "run it on the host to see: opsd check --debug",
    ),
    "check.no_answer": Sentence(
        "máy không trả lời `{read}` trong {limit}",
        "the host did not answer `{read}` within {limit}",
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
    "check.failed": Sentence(
        "phép kiểm tra tự hỏng: đây là lỗi của opsd",
        "the check itself failed: this is a fault of opsd",
        "gửi nhật ký của opsd cho người phát triển",
        "send opsd's log to its developers",
    ),
    "check.reached": Sentence("trả lời trong {elapsed}", "answered in {elapsed}"),
    "check.backup": Sentence(
        "{set}: dữ liệu đã chứng minh khôi phục được cách đây {age}, trong mức {rpo}",
        "{set}: proved data is {age} old, within {rpo}",
    ),
    "check.backup_proved": Sentence(
        "{set}: dữ liệu đã chứng minh khôi phục được cách đây {age}, mức cho phép là {rpo}",
        "{set}: proved data is {age} old, tolerable is {rpo}",
        "xem opsd status {set}; chứng minh ngay: opsd prove {set}",
        "see opsd status {set}; prove at once: opsd prove {set}",
    ),
    "check.backup_newest": Sentence(
        "{set}: điểm khôi phục mới nhất quá cũ hoặc không đủ",
        "{set}: the newest recovery point is too old, or not whole",
        "xem opsd status {set}; sao lưu ngay: opsd backup {set}",
        "see opsd status {set}; back up at once: opsd backup {set}",
    ),
    "check.backup_backup": Sentence(
        "{set}: lần sao lưu gần nhất không tốt",
        "{set}: the last backup was not good",
        "xem lý do: opsd status {set}",
        "see why: opsd status {set}",
    ),
    "check.backup_proof": Sentence(
        "{set}: lần chứng minh gần nhất không đạt",
        "{set}: the last proof was not good",
        "xem lý do: opsd status {set}",
        "see why: opsd status {set}",
    ),
    "check.backup_restore": Sentence(
        "{set}: khôi phục lâu hơn mức cho phép, hoặc chưa đo được",
        "{set}: a restore takes longer than is tolerable, or was never measured",
        "xem opsd status {set}",
        "see opsd status {set}",
    ),
    "check.opsd_in_time": Sentence("opsd làm việc đúng giờ", "opsd keeps its time"),
    "check.opsd_late": Sentence(
        "opsd bắt đầu việc trễ {late}: mọi phép kiểm tra đều trễ như vậy",
        "opsd begins its work {late} late, and so every check",
        "máy có quá tải không (top), có máy nào treo không: opsd checks --bad",
        "is this machine overloaded (top), does a host hang: opsd checks --bad",
    ),
    "check.opsd_small": Sentence("opsd dùng {size} bộ nhớ", "opsd has {size} of memory"),
    "check.opsd_large": Sentence(
        "opsd dùng {size} bộ nhớ, từ {limit} là bất thường",
        "opsd has {size} of memory; from {limit} on that is not usual",
        "khởi động lại khi không có sao lưu nào đang chạy: systemctl restart opsd; giữ nhật ký",
        "restart it while no backup goes on: systemctl restart opsd; keep its log",
    ),
    "check.repository": Sentence("kho {repository} trả lời", "the repository {repository} answers"),
    "check.repository_silent": Sentence(
        "kho {repository} không trả lời ({reason})",
        "the repository {repository} does not answer ({reason})",
        "xem mạng, khoá và bucket: opsd doctor",
        "see the network, the key and the bucket: opsd doctor",
    ),
    "check.room": Sentence(
        "{path}: còn trống {free} trên {size}", "{path}: {free} of {size} are free"
    ),
    "check.room_low": Sentence(
        "{path}: chỉ còn trống {free} trên {size}; dưới {wanted} thì opsd không ghi được nữa",
        "{path}: only {free} of {size} are free; below {wanted} opsd can write no more",
        "dọn hoặc thêm chỗ cho ổ này; xem opsd retention plan",
        "tidy up or add room on this disk; see opsd retention plan",
    ),
    "check.room_silent": Sentence(
        "{path}: ổ này không trả lời",
        "{path}: this disk does not answer",
        "xem ổ đã gắn chưa và máy chủ của nó: mount, dmesg",
        "see whether it is mounted, and its server: mount, dmesg",
    ),
    "check.load": Sentence(
        "tải 5 phút {load} trên {processors} bộ xử lý",
        "five-minute load {load} on {processors} processors",
    ),
}
