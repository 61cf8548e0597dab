"""Sentences about members that are MariaDB databases."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "kind.mariadb": Sentence("MariaDB", "MariaDB"),
    "doctor.mariadb": Sentence(
        "MariaDB {version} trả lời, cơ sở dữ liệu {bytes}",
        "MariaDB {version} answers, the database has {bytes}",
    ),
    "doctor.mariadb_no_log": Sentence(
        "MariaDB {version} trả lời nhưng không ghi nhật ký (binary log): phần mới hơn lần sao lưu"
        " cuối không cứu được",
        "MariaDB {version} answers but keeps no binary log: what is newer than the last backup"
        " cannot be saved",
        "thêm log_bin và server_id vào cấu hình của máy chủ rồi khởi động lại nó",
        "add log_bin and server_id to the server's configuration, then restart it",
    ),
    "mariadb.unreachable": Sentence(
        "máy chủ MariaDB không trả lời",
        "the MariaDB server does not answer",
        "xem nó có chạy không, socket, máy và cổng có đúng không",
        "look whether it runs, and whether socket, host and port are right",
    ),
    "mariadb.not_let_in": Sentence(
        "máy chủ MariaDB không cho vào",
        "the MariaDB server does not let us in",
        "xem user, passfile (nhóm [client]) và quyền của tài khoản đó",
        "look at user, passfile (group [client]) and what that account may do",
    ),
    "mariadb.forbidden": Sentence(
        "tài khoản sao lưu không có đủ quyền trên MariaDB",
        "the backup account may not do what a backup of MariaDB needs",
        "cấp quyền theo docs/mariadb.md",
        "grant it what docs/mariadb.md says",
    ),
    "mariadb.failed": Sentence(
        "MariaDB không làm được điều được hỏi", "MariaDB did not do what was asked"
    ),
    "mariadb.not_hashed": Sentence(
        "không băm được mọi dòng của bảng {table}",
        "not every row of table {table} could be hashed",
        "tăng max_allowed_packet của máy chủ",
        "raise max_allowed_packet of the server",
    ),
    "mariadb.no_one_snapshot": Sentence(
        "bản kết xuất không bắt đầu kịp trong lúc các giao dịch chờ: không cùng một thời điểm với"
        " phép đếm",
        "the dump did not begin while commits were held: it is not of the same moment as what was"
        " counted",
        "chạy lại khi máy chủ rảnh hơn",
        "run again when the server is less busy",
    ),
    "mariadb.dump_cut_off": Sentence(
        "bản kết xuất {file} dừng giữa chừng", "the dump {file} was cut off"
    ),
    "mariadb.no_transactions": Sentence(
        "{member}: {count} bảng không có giao dịch, nên có thể không cùng thời điểm với phần còn"
        " lại: {names}",
        "{member}: {count} tables know no transactions, and may not be of the same moment as the"
        " rest: {names}",
        "chuyển chúng sang InnoDB: ALTER TABLE … ENGINE = InnoDB",
        "turn them into InnoDB: ALTER TABLE … ENGINE = InnoDB",
    ),
    "mariadb.accounts_in_part": Sentence(
        "{member}: chưa lưu được mọi tài khoản và quyền: {why}",
        "{member}: not every account with its grants could be kept: {why}",
        "cấp quyền đọc mysql.* cho tài khoản sao lưu, bỏ các tài khoản hỏng",
        "grant the backup account SELECT on mysql.*, drop accounts that are broken",
    ),
    "mariadb.no_programs": Sentence(
        "máy này thiếu chương trình của MariaDB: {names}",
        "programs of MariaDB are missing here: {names}",
        "cài mariadb-server (không cần chạy) và mariadb-client",
        "install mariadb-server (it need not run) and mariadb-client",
    ),
    "mariadb.too_old": Sentence(
        "MariaDB ở máy này là {here}, cũ hơn máy chủ nguồn {wanted}",
        "MariaDB on this machine is {here}, older than the source's {wanted}",
        "cài bản bằng hoặc mới hơn",
        "install the same or a newer one",
    ),
    "proof.objects_missing": Sentence(
        "thiếu view, thủ tục, trigger hoặc event sau khi khôi phục: {names}",
        "views, routines, triggers or events are missing after the restore: {names}",
    ),
    "restore.mariadb_words": Sentence(
        "--load-into cho MariaDB dùng các từ {known}; có: {found}",
        "--load-into for MariaDB takes the words {known}; found: {found}",
        "ví dụ: --load-into 'socket=/run/mysqld/mysqld.sock user=root dbname=back'",
        "for example: --load-into 'socket=/run/mysqld/mysqld.sock user=root dbname=back'",
    ),
}
