"""Sentences of the command line: its help, its complaints, its exit codes."""

from opsd.catalogue.language import Sentence

_HELP: dict[str, Sentence] = {
    "help.usage": Sentence("cách dùng", "usage"),
    "help.positionals": Sentence("tham số", "arguments"),
    "help.options": Sentence("tuỳ chọn", "options"),
    "help.commands": Sentence("lệnh", "commands"),
    "help.exit_codes": Sentence("mã kết thúc", "exit codes"),
    "help.help": Sentence("hiện phần trợ giúp này rồi thoát", "show this help and exit"),
    "help.more": Sentence(
        "Xem từng lệnh: opsd LỆNH --help", "More about a command: opsd COMMAND --help"
    ),
    "help.opsd": Sentence(
        "Sao lưu, khôi phục thử và chứng minh rằng dữ liệu khôi phục được.",
        "Back up, restore for a trial, and prove that the data comes back.",
    ),
    "help.common": Sentence("tuỳ chọn chung", "common options"),
    "help.json": Sentence(
        "in kết quả dạng JSON, không kèm chữ nào khác", "print the result as JSON and nothing else"
    ),
    "help.language": Sentence(
        "ngôn ngữ: vi hoặc en (mặc định: $OPSD_LANGUAGE, locale, rồi cấu hình)",
        "language: vi or en (default: $OPSD_LANGUAGE, the locale, then the configuration)",
    ),
    "help.config_file": Sentence(
        "tệp cấu hình (mặc định: $OPSD_CONFIG, rồi /etc/opsd/opsd.yaml)",
        "configuration file (default: $OPSD_CONFIG, then /etc/opsd/opsd.yaml)",
    ),
    "help.quiet": Sentence("không hiện tiến độ", "show no progress"),
    "help.debug": Sentence(
        "hiện chi tiết kỹ thuật khi gặp lỗi nội bộ", "show technical detail of internal errors"
    ),
    "help.metavar.set": Sentence("BỘ", "SET"),
    "help.metavar.point": Sentence("ĐIỂM", "POINT"),
    "help.metavar.repository": Sentence("KHO", "REPOSITORY"),
    "help.metavar.file": Sentence("TỆP", "FILE"),
    "help.metavar.command": Sentence("LỆNH", "COMMAND"),
    "help.metavar.language": Sentence("NGÔN_NGỮ", "LANGUAGE"),
    "help.metavar.shell": Sentence("SHELL", "SHELL"),
    "help.metavar.action": Sentence("VIỆC", "ACTION"),
    "help.set": Sentence("tên bộ sao lưu trong cấu hình", "name of a backup set"),
    "help.set_optional": Sentence(
        "chỉ bộ sao lưu này (mặc định: tất cả)", "only this backup set (default: all)"
    ),
}

_COMMANDS: dict[str, Sentence] = {
    "help.run": Sentence(
        "chạy thường trực: sao lưu và chứng minh theo lịch, phục vụ /metrics",
        "stay and work: back up and prove on schedule, serve /metrics",
    ),
    "help.backup": Sentence(
        "sao lưu một bộ ngay bây giờ, rồi chứng minh bản vừa lấy",
        "back up a set now, then prove what was taken",
    ),
    "help.no_prove": Sentence(
        "chỉ sao lưu, không chứng minh ngay", "back up only; do not prove it at once"
    ),
    "help.prove": Sentence(
        "khôi phục thử một điểm ra chỗ riêng và đối chiếu với lúc sao lưu",
        "restore a point elsewhere and compare it with what was backed up",
    ),
    "help.prove.point": Sentence(
        "mã điểm khôi phục (mặc định: điểm mới nhất; xem `opsd points`)",
        "id of the recovery point (default: the newest; see `opsd points`)",
    ),
    "help.points": Sentence(
        "liệt kê các điểm khôi phục và mức đã chứng minh",
        "list the recovery points and how far each is proved",
    ),
    "help.points.repository": Sentence(
        "đọc thẳng từ kho này, không cần lịch sử của opsd",
        "read them from this repository itself, without opsd's history",
    ),
    "help.status": Sentence(
        "cho biết dữ liệu có an toàn không: mới đến đâu, đã chứng minh chưa",
        "tell whether the data is safe: how recent, and whether proved",
    ),
    "help.config": Sentence(
        "kiểm tra tệp cấu hình, hoặc in JSON Schema của nó",
        "check the configuration, or print its JSON Schema",
    ),
    "help.config.action": Sentence(
        "check: tìm mọi lỗi trong cấu hình; schema: in JSON Schema cho trình soạn thảo; user: hỏi "
        "mật khẩu rồi in dòng của một người dùng cho users_file",
        "check: find every mistake; schema: print the JSON Schema for editors; user: ask for a "
        "password and print the line of a user for users_file",
    ),
    "help.version": Sentence(
        "in phiên bản của opsd và các chương trình nó dùng",
        "print the version of opsd and of the programs it uses",
    ),
    "help.completion": Sentence("in phần tự hoàn thành lệnh cho shell", "print shell completion"),
    "help.completion.shell": Sentence("bash, zsh hoặc tcsh", "bash, zsh or tcsh"),
}

_RESTORE: dict[str, Sentence] = {
    "help.restore": Sentence(
        "khôi phục một bộ ra thư mục khác, rồi kiểm lại từng tệp, từng bảng",
        "bring a set back into another directory, and verify each file and table",
    ),
    "help.restore.at": Sentence(
        "điểm mới nhất có dữ liệu không sau lúc này, ví dụ '23/11/2026 15:30' hoặc một ngày",
        "the newest point with data not after this, like '2026-11-23 15:30', or a day",
    ),
    "help.restore.point": Sentence(
        "đúng điểm này (mặc định: điểm trọn vẹn mới nhất)",
        "this very point (default: the newest complete one)",
    ),
    "help.restore.member": Sentence("chỉ thành phần này", "only this member"),
    "help.restore.only": Sentence(
        "chỉ những đường dẫn này, tính từ gốc của thành phần tệp",
        "only these paths, counted from the root of a files member",
    ),
    "help.restore.to": Sentence(
        "thư mục nhận dữ liệu; phải trống và không phải nguồn đang dùng",
        "directory that takes the data; empty, and not the living source",
    ),
    "help.restore.load-into": Sentence(
        "nạp luôn vào cơ sở dữ liệu trống này, viết theo libpq: 'host=... dbname=...' (MariaDB:"
        " 'socket=... user=... dbname=...'; loại command, kèm --member: nơi mà lệnh restore hiểu)",
        "also load into this empty database, in libpq's words: 'host=... dbname=...' (MariaDB:"
        " 'socket=... user=... dbname=...'; kind command, with --member: as its restore reads it)",
    ),
    "help.restore.passfile": Sentence(
        "tệp mật khẩu theo dạng libpq cho --load-into", "libpq's password file for --load-into"
    ),
    "help.restore.dry-run": Sentence(
        "chỉ cho biết sẽ làm gì, không ghi gì", "only tell what would be done; write nothing"
    ),
    "help.restore.over-live-source": Sentence(
        "cho phép ghi đè lên chính nguồn đang dùng", "allow to overwrite the living source itself"
    ),
    "help.restore.into-used-target": Sentence(
        "cho phép ghi vào thư mục không trống", "allow a directory that is not empty"
    ),
    "help.restore.bare": Sentence(
        "trên máy trắng, khi không có cấu hình", "on a bare machine, without a configuration"
    ),
    "help.restore.repository-url": Sentence(
        "địa chỉ kho restic", "address of the restic repository"
    ),
    "help.restore.password-file": Sentence(
        "tệp chứa mật khẩu của kho", "file with the repository's password"
    ),
    "help.metavar.time": Sentence("LÚC", "TIME"),
    "help.metavar.member": Sentence("THÀNH_PHẦN", "MEMBER"),
    "help.metavar.path": Sentence("ĐƯỜNG_DẪN", "PATH"),
    "help.metavar.directory": Sentence("THƯ_MỤC", "DIRECTORY"),
    "help.metavar.connection": Sentence("KẾT_NỐI", "CONNECTION"),
    "help.metavar.url": Sentence("ĐỊA_CHỈ", "URL"),
    "help.store": Sentence(
        "dựng lại lịch sử của opsd từ các kho sao lưu",
        "rebuild opsd's history from the repositories",
    ),
    "help.store.action": Sentence(
        "rebuild: thêm vào lịch sử những gì các kho còn giữ",
        "rebuild: add to the history what the repositories know",
    ),
    "help.doctor": Sentence(
        "khám máy: chương trình, quyền, dung lượng, đồng hồ, khoá; kèm việc cần làm",
        "look at programs, rights, space, clock and locks; each with what to do",
    ),
    "usage.password_in_argument": Sentence(
        "{name} chứa mật khẩu: ai xem được danh sách tiến trình đều đọc được",
        "{name} carries a password: whoever can list processes can read it",
        "bỏ mật khẩu ra và dùng {other}",
        "leave it out and use {other}",
    ),
    "usage.needs": Sentence("{name} cần có {other}", "{name} needs {other}"),
    "usage.moment": Sentence(
        "không hiểu thời điểm {found}",
        "this is not a moment: {found}",
        "viết như 23/11/2026 15:30, 2026-11-23 15:30:00 hoặc 2026-11-23",
        "write it like 2026-11-23 15:30, 2026-11-23 15:30:00 or 2026-11-23",
    ),
    "store.rebuilt": Sentence(
        "đã dựng lại lịch sử: thêm {points} điểm khôi phục, {proofs} lần chứng minh",
        "the history is rebuilt: {points} recovery points and {proofs} proofs were added",
    ),
    "phase.verify": Sentence("Kiểm lại", "Verifying"),
    "phase.rebuild": Sentence("Dựng lại từ kho", "Rebuilding from"),
}

_EXITS: dict[str, Sentence] = {
    "exit.done": Sentence("xong, kết quả tốt", "done, and the result is good"),
    "exit.failed": Sentence("thất bại, hoặc trạng thái không tốt", "failed, or not in good state"),
    "exit.usage": Sentence(
        "dòng lệnh hoặc cấu hình sai", "a mistake in the command line or the configuration"
    ),
    "exit.partial": Sentence(
        "xong một phần: có thứ không đọc được", "partial: something could not be read"
    ),
    "exit.could_not_verify": Sentence(
        "không kiểm chứng được: chưa biết tốt hay xấu", "could not verify: not known good or bad"
    ),
    "exit.timed_out": Sentence("quá thời hạn, đã dừng", "timed out and ended"),
    "exit.refused": Sentence(
        "bị chốt an toàn từ chối, chưa làm gì", "refused by a guard; nothing was done"
    ),
    "exit.locked": Sentence("kho đang bị khoá hoặc đang bận", "the repository is locked or busy"),
    "exit.internal": Sentence("lỗi nội bộ của opsd", "an internal error of opsd"),
    "exit.interrupted": Sentence(
        "bị ngắt (Ctrl-C hoặc lệnh dừng)", "interrupted (Ctrl-C or a request to stop)"
    ),
}

_HELP_REMEDY = ("xem `opsd --help`", "see `opsd --help`")

_USAGE: dict[str, Sentence] = {
    "usage.required": Sentence("thiếu tham số: {names}", "missing: {names}", *_HELP_REMEDY),
    "usage.unrecognized": Sentence(
        "không hiểu tham số: {names}", "not understood: {names}", *_HELP_REMEDY
    ),
    "usage.one_value": Sentence("{name} cần một giá trị", "{name} needs a value", *_HELP_REMEDY),
    "usage.some_value": Sentence(
        "{name} cần ít nhất một giá trị", "{name} needs at least one value", *_HELP_REMEDY
    ),
    "usage.choice": Sentence(
        "{name} không nhận {found}; chọn một trong: {choices}",
        "{name} cannot be {found}; choose from: {choices}",
        *_HELP_REMEDY,
    ),
    "usage.conflict": Sentence(
        "{name} không dùng cùng {other}", "{name} cannot go with {other}", *_HELP_REMEDY
    ),
    "usage.no_value": Sentence(
        "{name} không nhận giá trị, nhưng có {found}",
        "{name} takes no value, but {found} was given",
        *_HELP_REMEDY,
    ),
    "usage.one_of": Sentence(
        "cần một trong: {names}", "one of these is needed: {names}", *_HELP_REMEDY
    ),
    "usage.argument": Sentence("{name}: {what}", "{name}: {what}", *_HELP_REMEDY),
    "usage.wrong": Sentence(
        "dòng lệnh không dùng được", "the command line cannot be used", *_HELP_REMEDY
    ),
    "usage.no_repository": Sentence(
        "không có kho tên {name}; hiện có: {known}",
        "there is no repository {name}; there are: {known}",
    ),
}

_TROUBLE: dict[str, Sentence] = {
    "cli.error": Sentence("lỗi", "error"),
    "cli.internal": Sentence(
        "lỗi nội bộ {error}; nhật ký: {log}",
        "internal error {error}; log: {log}",
        "gửi nhật ký cho người phát triển; thêm --debug để xem chi tiết",
        "send the log to the developers; add --debug to see the detail",
    ),
    "cli.internal_unlogged": Sentence(
        "lỗi nội bộ {error}",
        "internal error {error}",
        "chạy lại với --debug và gửi kết quả cho người phát triển",
        "run it again with --debug and send what it says to the developers",
    ),
    "cli.system": Sentence(
        "hệ điều hành từ chối: {what}",
        "the operating system refused: {what}",
        "kiểm tra đường dẫn, quyền của tài khoản và ổ đĩa; `opsd doctor` kiểm tra hết một lượt",
        "look at the path, the rights of the account and the disk; `opsd doctor` checks them all",
    ),
    "cli.stopping": Sentence("đang dừng cho gọn, xin chờ...", "stopping cleanly, please wait..."),
    "config.fine": Sentence(
        "cấu hình {file} dùng được: {sets} bộ sao lưu, {repositories} kho",
        "the configuration {file} is fine: {sets} backup sets, {repositories} repositories",
    ),
}

_PROGRESS: dict[str, Sentence] = {
    "progress.left": Sentence("còn {left}", "{left} left"),
    "progress.speed": Sentence("{speed}/giây", "{speed}/s"),
    "phase.preflight": Sentence("Kiểm tra trước", "Looking first"),
    "phase.dump": Sentence("Kết xuất CSDL", "Dumping"),
    "phase.upload": Sentence("Ghi vào kho", "Storing"),
    "phase.survey": Sentence("Lập bản kê", "Listing"),
    "phase.record": Sentence("Ghi biên bản", "Recording"),
    "phase.structure": Sentence("Kiểm tra cấu trúc kho", "Checking the structure"),
    "phase.read_back": Sentence("Đọc lại kho", "Reading back"),
    "phase.fetch": Sentence("Lấy từ kho", "Fetching"),
    "phase.load": Sentence("Nạp CSDL", "Loading"),
    "phase.compare": Sentence("So với lúc sao lưu", "Comparing"),
    "phase.reconcile": Sentence("Đối chiếu tệp với CSDL", "Reconciling"),
}

TABLE: dict[str, Sentence] = {
    **_HELP,
    **_COMMANDS,
    **_RESTORE,
    **_EXITS,
    **_USAGE,
    **_TROUBLE,
    **_PROGRESS,
}
