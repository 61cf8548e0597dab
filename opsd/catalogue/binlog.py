"""Sentences about the binary log of MariaDB members."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "binlog.none": Sentence(
        "máy chủ MariaDB không ghi nhật ký (binary log)",
        "the MariaDB server keeps no binary log",
        "thêm log_bin và server_id vào cấu hình của nó rồi khởi động lại",
        "add log_bin and server_id to its configuration, then restart it",
    ),
    "binlog.gone": Sentence(
        "máy chủ không còn tệp nhật ký {file} mà nơi nhận cần tiếp tục; tệp cũ nhất là {oldest}",
        "the server has no log file {file} any more, where the receiver was; the oldest is"
        " {oldest}",
        "dữ liệu giữa hai tệp đã mất khỏi nhật ký: chuyển thư mục nhận đi chỗ khác rồi sao lưu lại"
        " ngay; tăng binlog_expire_logs_seconds của máy chủ",
        "what lies between is lost to the log: move the receiving directory away and back up at"
        " once; raise binlog_expire_logs_seconds of the server",
    ),
    "binlog.no_spot": Sentence(
        "mariadb-backup không cho biết vị trí trong nhật ký",
        "mariadb-backup did not say where in the log the copy stands",
    ),
    "binlog.unreadable": Sentence(
        "mariadb-binlog không đọc được nhật ký", "mariadb-binlog could not read the log"
    ),
    "binlog.gap_before": Sentence(
        "thiếu tệp nhật ký {file}, nên không tới được {goal}",
        "the log file {file} is missing, so that {goal} cannot be reached",
        "chọn thời điểm trước đó, hoặc một bản gốc mới hơn",
        "choose an earlier moment, or a newer base copy",
    ),
    "binlog.gap_behind": Sentence(
        "thiếu tệp nhật ký {file}: chỉ khôi phục được tới trước nó",
        "the log file {file} is missing: only what is before it was recovered",
    ),
    "binlog.beyond": Sentence(
        "nhật ký có được chỉ tới {end}, chưa tới {goal}",
        "the log that there is ends at {end}, before {goal}",
        "tới giao dịch cuối cùng có được: --to now",
        "for the last commit there is: --to now",
    ),
    "binlog.ends": Sentence(
        "nhật ký có được hết ở {end}, giao dịch mới nhất trong đó lúc {at}: không có gì sau đó",
        "the log that there is ends at {end}, its newest commit is of {at}: nothing later is in it",
    ),
    "binlog.file_damaged": Sentence(
        "tệp nhật ký {file} hỏng: {why}", "the log file {file} is damaged: {why}"
    ),
    "binlog.receives": Sentence(
        "nhận nhật ký; có mọi giao dịch tới {at}", "receives the log; has every commit until {at}"
    ),
    "binlog.not_received": Sentence(
        "không nhận được nhật ký của MariaDB",
        "the log of MariaDB is not received",
        "xem lời nó nói: máy chủ có chạy không, tài khoản có quyền REPLICATION SLAVE không",
        "read what it says: does the server run, may the account REPLICATION SLAVE",
    ),
    "binlog.unreachable": Sentence(
        "máy chủ MariaDB không trả lời, không biết mất gì",
        "the MariaDB server does not answer: what would be lost is not known",
    ),
    "binlog.not_known": Sentence(
        "chưa biết có nhật ký tới lúc nào", "until when the log is there is not known yet"
    ),
    "binlog.no_base": Sentence(
        "{repository}: chưa biết có bản gốc nào ở đó, chưa khôi phục được gì từ nhật ký",
        "{repository}: no base copy is known there, nothing can be recovered from the log yet",
        "chụp bản gốc: opsd wal base BỘ",
        "take one: opsd wal base SET",
    ),
    "binlog.late": Sentence("chỉ có mọi giao dịch tới {at}", "has every commit until {at} only"),
    "binlog.disk": Sentence(
        "ổ của thư mục nhận chỉ còn {free}",
        "only {free} is left on the disk where the log is received",
        "giải phóng chỗ; xem kho có nhận nhật ký không",
        "free space; look whether the repositories take the log",
    ),
    "binlog.kept": Sentence(
        "{repository}: có mọi giao dịch tới {at}", "{repository}: has every commit until {at}"
    ),
    "binlog.gap": Sentence(
        "{repository}: thiếu tệp nhật ký {file}, phần sau nó không dùng được",
        "{repository}: the log file {file} is missing; what is behind it cannot be used",
        "chụp bản gốc mới ngay: opsd wal base BỘ",
        "take a new base copy at once: opsd wal base SET",
    ),
    "binlog.refused": Sentence(
        "{repository}: tệp nhật ký nhận được bị hỏng, không đưa vào kho",
        "{repository}: a received log file is damaged and was not taken",
        "chụp bản gốc mới ngay: opsd wal base BỘ",
        "take a new base copy at once: opsd wal base SET",
    ),
    "binlog.not_shipped": Sentence(
        "{repository}: chưa gửi được nhật ký vào kho",
        "{repository}: the log could not be sent there",
    ),
    "binlog.plan": Sentence(
        "{name}: bản gốc lúc {at} ({bytes}, kho {repository}), {count} tệp nhật ký ({log_bytes})"
        " tới {end}; đích {target}; chừng {expected}",
        "{name}: base copy of {at} ({bytes}, in {repository}), {count} files of the log"
        " ({log_bytes}) up to {end}; into {target}; about {expected}",
    ),
    "binlog.done": Sentence(
        "{name}: đã khôi phục trong {span}, tới {goal}. Khởi động bằng tài khoản {owner}: mariadbd"
        " --datadir={data}",
        "{name}: recovered in {span}, to {goal}. Start it as {owner}: mariadbd --datadir={data}",
    ),
    "binlog.goal": Sentence(
        "MariaDB khôi phục được tới now, một thời điểm hoặc một vị trí (tệp:byte), không phải"
        " {found}",
        "MariaDB is recovered to now, a moment or a place (file:byte), not to {found}",
    ),
}
