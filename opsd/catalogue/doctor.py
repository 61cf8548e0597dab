"""What `opsd doctor` says of the machine, and what to do about it."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "doctor.title": Sentence(
        "Khám máy: {ok} mục tốt, {warning} mục cần xem, {critical} mục nguy cấp",
        "Looked at this machine: {ok} fine, {warning} to look at, {critical} critical",
    ),
    "phase.doctor": Sentence("Khám", "Looking at"),
    "doctor.restic": Sentence("restic {version}", "restic {version}"),
    "doctor.programs": Sentence(
        "có đủ setpriv, prlimit, nice, ionice", "setpriv, prlimit, nice and ionice are there"
    ),
    "doctor.programs_missing": Sentence(
        "thiếu chương trình: {names}",
        "programs are missing: {names}",
        "cài gói util-linux và coreutils",
        "install util-linux and coreutils",
    ),
    "doctor.config": Sentence(
        "cấu hình khớp với máy, các tệp mật khẩu đều kín",
        "the configuration fits the machine, its secrets are closed",
    ),
    "doctor.demo": Sentence(
        "đang ở chế độ trình diễn (demo: true): hỏng một ổ đĩa là mất cả nguồn lẫn bản sao",
        "this is a demonstration (demo: true): one broken disk loses source and copy",
        "không dùng cho dữ liệu thật; bỏ demo: true và đặt kho ở ổ hoặc máy khác",
        "never for real data; drop demo: true and put the repository elsewhere",
    ),
    "doctor.database": Sentence(
        "PostgreSQL {version} trả lời, cơ sở dữ liệu {bytes}",
        "PostgreSQL {version} answers, the database has {bytes}",
    ),
    "doctor.forbidden": Sentence(
        "tài khoản sao lưu không được đọc {count} bảng hoặc sequence: {names}",
        "the backup role may not read {count} tables or sequences: {names}",
        "cấp quyền: GRANT pg_read_all_data TO tài_khoản_sao_lưu",
        "grant it: GRANT pg_read_all_data TO backup_role",
    ),
    "doctor.no_superuser": Sentence(
        "tài khoản sao lưu không phải superuser: mật khẩu của các role không được lưu",
        "the backup role is no superuser: passwords of roles are not kept",
        "chấp nhận và giữ mật khẩu các role ở nơi khác, hoặc dùng một superuser chỉ cho sao lưu",
        "accept it and keep the roles' passwords elsewhere, or use a superuser for backups only",
    ),
    "doctor.receiver": Sentence(
        "ghi được nhật ký vào {path}, còn trống {free}",
        "the log can be written into {path}, {free} free",
    ),
    "doctor.tree": Sentence("đọc được thư mục {path}", "{path} can be read"),
    "doctor.reads_all": Sentence(
        "tài khoản này đọc được mọi tệp (CAP_DAC_READ_SEARCH)",
        "this account reads every file (CAP_DAC_READ_SEARCH)",
    ),
    "doctor.reads_some": Sentence(
        "tài khoản này chỉ đọc được tệp mà quyền cho phép; tệp khác sẽ làm bản sao lưu thiếu",
        "this account reads only what permissions allow; other files would make a backup partial",
        "chạy bằng opsd.service (có CAP_DAC_READ_SEARCH), hoặc bằng root",
        "run it as opsd.service does (CAP_DAC_READ_SEARCH), or as root",
    ),
    "doctor.room": Sentence(
        "{path} còn trống {free}, cần {needed}", "{path} has {free} free, {needed} are needed"
    ),
    "doctor.room_short": Sentence(
        "{path} sắp chật: còn trống {free}, cần {needed}",
        "{path} is getting full: {free} free, {needed} are needed",
        "giải phóng hoặc mở rộng ổ đĩa trước khi hết chỗ",
        "free or enlarge the disk before it is full",
    ),
    "doctor.not_crossable": Sentence(
        "tài khoản {account} không vào được {path} nên không dựng thử được cơ sở dữ liệu",
        "the account {account} cannot enter {path}, so no database can be restored for a proof",
        "cho phép đi qua mọi thư mục trên đường dẫn: chmod o+x (hoặc ACL)",
        "let it cross each directory on the way: chmod o+x (or an ACL)",
    ),
    "doctor.clock": Sentence(
        "đồng hồ được đồng bộ, lệch nhiều nhất {offset} so với máy chủ cơ sở dữ liệu",
        "the clock is kept by a time server, at most {offset} from the database servers",
    ),
    "doctor.clock_unknown": Sentence(
        "hệ điều hành không cho biết đồng hồ có được đồng bộ không",
        "the kernel does not say whether the clock is kept by a time server",
        "kiểm tra bằng `timedatectl` hoặc `chronyc tracking`",
        "look with `timedatectl` or `chronyc tracking`",
    ),
    "doctor.repository": Sentence(
        "mở được kho, có {snapshots} snapshot", "the repository opens, with {snapshots} snapshots"
    ),
    "doctor.no_repository_yet": Sentence(
        "chưa có kho ở địa chỉ này",
        "there is no repository at this address yet",
        "lần `opsd backup` đầu tiên sẽ tạo; nếu từng có kho ở đây, kiểm tra ổ đĩa đã gắn chưa",
        "the first `opsd backup` makes one; if there was one, see whether its disk is mounted",
    ),
    "doctor.locks": Sentence(
        "kho có {count} khoá trong khi opsd không chạy gì trên kho",
        "the repository holds {count} locks while no run of opsd works on it",
        "chờ chương trình khác xong; nếu không có, chạy `restic unlock` (không dùng --remove-all)",
        "wait for the other program; if there is none, run `restic unlock` (never --remove-all)",
    ),
    "doctor.dead_runs": Sentence(
        "{count} lần chạy đã chết giữa chừng: {names}",
        "{count} runs died in the middle: {names}",
        "lần sao lưu kế tiếp sẽ ghi nhận chúng là bị ngắt; tìm xem vì sao chúng chết",
        "the next backup records them as interrupted; find out why they died",
    ),
    "doctor.leftovers": Sentence(
        "thư mục tạm còn sót {count} lần chạy: {names}",
        "scratch still holds what {count} runs left: {names}",
        "lần sao lưu hoặc chứng minh kế tiếp sẽ xoá sạch",
        "the next backup or proof wipes it",
    ),
    "doctor.tidy": Sentence(
        "không có lần chạy nào chết hoặc để sót dữ liệu", "no run died or left anything behind"
    ),
}
