"""Sentences of errors that the drivers raise."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "process.cannot_start": Sentence(
        "không chạy được chương trình {program}",
        "the program {program} cannot be started",
        "cài đặt chương trình hoặc sửa đường dẫn trong cấu hình; `opsd doctor` cho biết thiếu gì",
        "install it or mend its path in the configuration; `opsd doctor` tells what is missing",
    ),
    "process.failed": Sentence(
        "{program} kết thúc với mã lỗi {exit_code}", "{program} exited with code {exit_code}"
    ),
    "process.timed_out": Sentence(
        "{program} chưa xong sau {limit} nên đã bị dừng; chưa rõ kết quả",
        "{program} was not done after {limit} and was ended; its outcome is unknown",
        "xem nó đang chờ gì, hoặc tăng thời hạn trong cấu hình",
        "look for what it waits on, or raise its limit in the configuration",
    ),
    "process.cancelled": Sentence(
        "{program} đã được dừng theo yêu cầu", "{program} was ended on request"
    ),
    "cluster.no_binaries": Sentence(
        "không tìm thấy chương trình PostgreSQL phiên bản {major} trở lên",
        "no PostgreSQL programs of version {major} or newer were found",
        "cài gói postgresql-{major} (Debian) hoặc mới hơn trên máy này",
        "install the package postgresql-{major} (Debian) or newer on this machine",
    ),
    "cluster.place": Sentence(
        "máy chủ PostgreSQL riêng không thể nằm ở {directory}: đường dẫn dài quá {most} byte hoặc"
        " có dấu phẩy, dấu nháy kép",
        "a private PostgreSQL server cannot lie in {directory}: the path has more than {most}"
        " bytes, or a comma or double quote",
        "chọn thư mục có tên ngắn và đơn giản hơn",
        "choose a directory with a shorter, plainer name",
    ),
    "cluster.failed": Sentence(
        "cụm PostgreSQL riêng tại {directory} không khởi tạo hoặc khởi động được",
        "the private PostgreSQL cluster in {directory} cannot be made or started",
        "xem nhật ký {log}; kiểm tra dung lượng và quyền của thư mục",
        "read the log {log}; look at the space and the permissions of the directory",
    ),
    "lock.cancelled": Sentence("đã dừng khi đang chờ {holder}", "ended while waiting for {holder}"),
    "tree.root_unreadable": Sentence(
        "không đọc được thư mục {path}",
        "the directory {path} cannot be read",
        "kiểm tra quyền đọc của tài khoản chạy opsd trên thư mục này",
        "give the account of opsd the right to read this directory",
    ),
    "tree.not_flushed": Sentence(
        "ổ đĩa của {path} không ghi được hết những gì đã chép",
        "the disk of {path} did not take all that was written",
        "kiểm tra ổ đĩa này (dmesg, SMART), rồi làm lại vào ổ đĩa khác",
        "look at this disk (dmesg, SMART), then do it again on another",
    ),
    "mirror.failed": Sentence(
        "không chép được vào {path}",
        "it could not be copied into {path}",
        "xem chi tiết; kiểm tra chỗ trống và lỗi của ổ đĩa",
        "see the detail; look at the room and at the errors of the disk",
    ),
    "increment.unknown": Sentence(
        "{path} không phải là phần thay đổi của một tệp",
        "{path} is not what changed of a file",
        "dùng bản gốc khác: xem opsd wal bases BỘ; kiểm tra kho",
        "use another base copy: see opsd wal bases SET; check the repository",
    ),
    "source.missing": Sentence(
        "thư mục nguồn {path} không tồn tại",
        "the source {path} does not exist",
        "kiểm tra ổ đĩa đã được gắn chưa và đường dẫn trong cấu hình",
        "see whether its disk is mounted, and the path in the configuration",
    ),
    "source.vanished": Sentence(
        "thư mục nguồn biến mất trước khi được đọc",
        "the source vanished before it was read",
        "kiểm tra ổ đĩa của nguồn còn được gắn không",
        "see whether the disk of the source is still mounted",
    ),
    "source.link": Sentence(
        "nguồn {path} là liên kết tới {target}: restic chỉ lưu liên kết, không lưu nội dung",
        "the source {path} is a link to {target}: restic would keep the link and nothing behind it",
        "ghi chính thư mục {target} vào cấu hình",
        "put the directory itself, {target}, into the configuration",
    ),
    "source.no_directory": Sentence(
        "nguồn {path} không phải là thư mục",
        "the source {path} is not a directory",
        "sửa đường dẫn trong cấu hình",
        "mend the path in the configuration",
    ),
    "restic.not_restic": Sentence(
        "{program} không phải là restic",
        "{program} is not restic",
        "sửa mục `restic` trong cấu hình",
        "mend `restic` in the configuration",
    ),
    "restic.too_old": Sentence(
        "restic {version} quá cũ; cần {minimum} trở lên",
        "restic {version} is too old; {minimum} or newer is needed",
        "cài restic mới hơn và trỏ mục `restic` trong cấu hình tới nó",
        "install a newer restic and point `restic` in the configuration to it",
    ),
    "restic.no_summary": Sentence(
        "lệnh restic {command} kết thúc mà không báo cáo kết quả; không coi là thành công",
        "restic {command} ended without a summary; it does not count as a success",
    ),
    "restic.odd_answer": Sentence(
        "không hiểu được điều lệnh restic {command} trả lời",
        "what restic {command} answered cannot be understood",
    ),
    "restic.failed": Sentence(
        "lệnh restic {command} trên kho {repository} thất bại với mã {exit_code}",
        "restic {command} on repository {repository} failed with exit code {exit_code}",
    ),
    "repository.missing": Sentence(
        "không có kho sao lưu nào tại địa chỉ của {repository}",
        "there is no repository at the address of {repository}",
        "kiểm tra ổ đĩa đã gắn và địa chỉ; lần `opsd backup` đầu tiên sẽ tạo kho mới",
        "see whether its disk is mounted and its address right; the first `opsd backup` makes one",
    ),
    "repository.lost": Sentence(
        "kho {repository} từng có {points} điểm khôi phục nhưng nay không còn: không tạo kho mới",
        "repository {repository} held {points} recovery points and is gone: no new one is made",
        "gắn lại ổ đĩa của kho; nếu kho thật sự đã mất, dùng bản sao khác và báo cáo sự cố",
        "mount its disk again; if it is truly lost, turn to another copy and report the incident",
    ),
    "repository.replaced": Sentence(
        "kho {repository} không còn gì của opsd ({points} điểm khôi phục từng ghi): có kho khác nằm"
        " ở chỗ của nó; không ghi vào đó",
        "repository {repository} holds nothing of what opsd had written ({points} recovery points):"
        " another one is in its place; nothing is written to it",
        "gắn lại đúng ổ đĩa của kho; nếu kho thật sự đã mất, dùng bản sao khác, báo cáo sự cố và"
        " khai báo kho mới dưới tên khác",
        "mount the right disk; if it is truly lost, turn to another copy, report the incident, and"
        " configure a new repository under another name",
    ),
    "repository.locked": Sentence(
        "kho {repository} đang bị tiến trình khác giữ",
        "repository {repository} is locked by another process",
        "chờ lần chạy kia xong, hoặc xem `restic list locks`; không dùng --remove-all",
        "wait for the other run, or look at `restic list locks`; never use --remove-all",
    ),
    "repository.held": Sentence(
        "kho {repository} đang được {holder} sử dụng; đã chờ {waited}",
        "repository {repository} is in use by {holder}; waited {waited}",
        "chờ lần chạy kia xong rồi chạy lại",
        "wait until the other run is over, then run again",
    ),
    "repository.wrong_password": Sentence(
        "mật khẩu không mở được kho {repository}",
        "the password does not open repository {repository}",
        "dùng đúng tệp mật khẩu (bản niêm phong); không khởi tạo lại kho",
        "use the right password file (the sealed copy); do not initialise the repository again",
    ),
    "repository.password_unreadable": Sentence(
        "không đọc được tệp mật khẩu của kho {repository}",
        "the file with the password of repository {repository} cannot be read",
        "xem chi tiết: đường dẫn, quyền đọc; kho không bị đụng tới",
        "see the detail: its path, who may read it; nothing was done to the repository",
    ),
    "repository.damaged": Sentence(
        "kho {repository} bị hỏng",
        "repository {repository} is damaged",
        "không xoá, không prune; giữ nguyên kho, sao chép index và snapshots rồi mới sửa theo"
        " docs/runbooks/repository-damaged.md",
        "do not forget or prune; keep everything, copy index and snapshots, then repair by"
        " docs/runbooks/repository-damaged.md",
    ),
    "repository.full": Sentence(
        "ổ đĩa của kho {repository} đã đầy",
        "the disk of repository {repository} is full",
        "giải phóng hoặc mở rộng ổ đĩa, rồi chạy lại; các điểm khôi phục cũ vẫn còn nguyên",
        "free or enlarge the disk, then run again; older recovery points are intact",
    ),
    "repository.unreadable": Sentence(
        "không đọc được thư mục {path} của kho",
        "the directory {path} of a repository cannot be read",
        "xem ổ đĩa và quyền đọc của tài khoản chạy opsd",
        "look at the disk, and at what the account of opsd may read",
    ),
    "repository.unreachable": Sentence(
        "không kết nối được tới kho {repository}",
        "repository {repository} cannot be reached",
        "kiểm tra đường truyền và máy chủ lưu trữ",
        "look at the link and at the storage server",
    ),
    "repository.denied": Sentence(
        "máy chủ lưu trữ của kho {repository} từ chối khoá truy cập",
        "the storage server of repository {repository} refuses the access key",
        "kiểm tra tệp khoá S3 và quyền của tài khoản đó trên bucket (docs/s3.md)",
        "look at the S3 credentials file and at what its user may do in the bucket (docs/s3.md)",
    ),
    "repository.no_bucket": Sentence(
        "máy chủ lưu trữ không có bucket của kho {repository}",
        "the storage server has no bucket of repository {repository}",
        "kiểm tra địa chỉ; bucket do người quản trị tạo, kèm khoá đối tượng và quyền (docs/s3.md)",
        "look at the address; a person makes the bucket, with its lock and policy (docs/s3.md)",
    ),
    "s3.address": Sentence(
        "địa chỉ S3 không có tên bucket",
        "the S3 address names no bucket",
        "viết theo dạng s3:https://máy-chủ/bucket/tiền-tố",
        "write it as s3:https://host/bucket/prefix",
    ),
    "s3.credentials": Sentence(
        "tệp khoá S3 {path} không có đủ khoá truy cập của mục [default]",
        "the S3 credentials file {path} has no access key of the profile [default]",
        "tệp cần aws_access_key_id và aws_secret_access_key dưới dòng [default]",
        "it needs aws_access_key_id and aws_secret_access_key below the line [default]",
    ),
    "s3.failed": Sentence(
        "máy chủ lưu trữ của kho {repository} không trả lời đúng giao thức S3",
        "the storage server of repository {repository} did not answer as S3 does",
        "xem chi tiết và nhật ký của máy chủ lưu trữ, rồi chạy lại",
        "see the detail and the log of the storage server, then run again",
    ),
    "s3.too_slow": Sentence(
        "máy chủ lưu trữ của kho {repository} trả về một đối tượng chậm hơn {limit}",
        "the storage server of repository {repository} took longer than {limit} for one object",
        "kiểm tra đường truyền và tải của máy chủ lưu trữ",
        "look at the link and at the load of the storage server",
    ),
    "repository.not_written": Sentence(
        "restic báo đã ghi nhưng kho {repository} không có snapshot {snapshots}",
        "restic told of snapshots that repository {repository} does not hold: {snapshots}",
        "kiểm tra ổ đĩa của kho; không coi lần sao lưu này là thành công",
        "look at the disk of the repository; this backup does not count",
    ),
    "database.unreachable": Sentence(
        "không kết nối được tới PostgreSQL",
        "PostgreSQL cannot be reached",
        "kiểm tra máy chủ cơ sở dữ liệu, chuỗi kết nối và tệp mật khẩu",
        "look at the database server, the connection string and the passfile",
    ),
    "database.refused": Sentence(
        "PostgreSQL từ chối câu lệnh",
        "PostgreSQL refused a statement",
        "kiểm tra quyền của tài khoản sao lưu và câu SQL trong cấu hình",
        "look at the rights of the backup role and at the SQL in the configuration",
    ),
    "database.timed_out": Sentence(
        "câu truy vấn chưa xong sau {limit} nên đã bị dừng; chưa có kết luận",
        "a query was not done after {limit} and was ended; nothing is concluded",
        "xem câu SQL được trích (thiếu điều kiện nối bảng?), hoặc tăng prove.timeout",
        "look at the SQL quoted (a join without its condition?), or raise prove.timeout",
    ),
    "pgtools.failed": Sentence(
        "{program} thất bại với mã {exit_code}",
        "{program} failed with exit code {exit_code}",
        "xem chi tiết",
        "see the detail",
    ),
    "pgtools.killed": Sentence(
        "{program} bị dừng từ bên ngoài bởi {signal}",
        "{program} was killed from outside by {signal}",
        "xem nhật ký hệ thống: thường là do thiếu bộ nhớ; rồi chạy lại",
        "look at the system's log, most often for want of memory; then run again",
    ),
    "dump.table_missing": Sentence(
        "bản kết xuất thiếu bảng: {tables}",
        "the dump lacks tables: {tables}",
        "kiểm tra quyền của tài khoản sao lưu",
        "look at the rights of the backup role",
    ),
    "dump.differs": Sentence(
        "bảng {table}: bản kết xuất có {dumped} dòng nhưng cơ sở dữ liệu đếm được {counted}",
        "table {table}: the dump has {dumped} rows but the database counted {counted}",
        "không tin bản kết xuất này; kiểm tra ổ đĩa scratch và máy chủ PostgreSQL",
        "do not trust this dump; look at the scratch disk and the PostgreSQL server",
    ),
    "dump.unread": Sentence(
        "restic không đọc hết bản kết xuất của {member}",
        "restic could not read the dump of {member}",
    ),
    "globals.refused": Sentence(
        "không tạo lại được các role của cụm cơ sở dữ liệu",
        "the roles of the database cluster could not be made again",
        "xem globals.sql trong bản khôi phục; nạp nó bằng tài khoản superuser",
        "see globals.sql of the restored member; load it as a superuser",
    ),
    "dump.no_role_passwords": Sentence(
        "{member}: tài khoản sao lưu không phải superuser nên không lưu mật khẩu của các role",
        "{member}: the backup role is no superuser, so the passwords of roles are not kept",
    ),
    "scratch.full": Sentence(
        "ổ đĩa tạm (scratch) đã đầy",
        "the scratch disk is full",
        "giải phóng hoặc mở rộng ổ đĩa của thư mục `scratch`, rồi chạy lại",
        "free or enlarge the disk of the `scratch` directory, then run again",
    ),
    "scratch.failed": Sentence(
        "không ghi được vào thư mục tạm (scratch)",
        "the scratch directory cannot be written",
        "kiểm tra dung lượng và quyền của thư mục `scratch`",
        "look at the space and the permissions of the `scratch` directory",
    ),
    "space.too_little": Sentence(
        "{path} còn {free}, cần {needed} và phải chừa lại {spare}",
        "{path} has {free} left; {needed} are needed and {spare} must stay free",
        "giải phóng hoặc mở rộng ổ đĩa; chưa ghi gì cả",
        "free or enlarge the disk; nothing was written",
    ),
    "clock.differs": Sentence(
        "đồng hồ máy này lệch {offset} so với máy chủ của {source} (cho phép {limit})",
        "this machine's clock differs by {offset} from the server of {source} (limit {limit})",
        "đồng bộ thời gian (NTP) trên cả hai máy rồi chạy lại",
        "synchronise both clocks (NTP), then run again",
    ),
    "clock.s3": Sentence(
        "đồng hồ máy này lệch quá nhiều so với máy chủ lưu trữ của kho {repository}",
        "this machine's clock differs too much from the storage server of repository {repository}",
        "đồng bộ thời gian (NTP) trên cả hai máy rồi chạy lại",
        "synchronise both clocks (NTP), then run again",
    ),
    "clock.behind": Sentence(
        "bản sao lưu mới nhất có thời điểm {newest}, sau hiện tại {now}: đồng hồ đã từng sai",
        "the newest snapshot is dated {newest}, after now ({now}): a clock was or is wrong",
        "đồng bộ thời gian (NTP); nếu đồng hồ nay đã đúng, xoá snapshot có ngày tương lai",
        "synchronise the clock (NTP); if it is right now, remove the snapshot from the future",
    ),
    "clock.moved": Sentence(
        "đồng hồ máy này đã bị chỉnh {moved} kể từ lần chạy trước (cho phép {limit})",
        "this machine's clock was set by {moved} since the last run (limit {limit})",
        "đặt lại giờ đúng rồi chạy lại; nếu nay đã đúng và trước đó sai: bật NTP hoặc khởi động lại"
        " máy, rồi chạy lại",
        "set it right, then run again; if it is right now and was wrong before: turn on NTP, or"
        " restart the machine, then run again",
    ),
    "clock.unsynchronised": Sentence(
        "đồng hồ máy này không được đồng bộ với máy chủ thời gian",
        "this machine's clock is not kept by a time server",
        "bật chrony hoặc systemd-timesyncd, hoặc đặt clock.require_sync: false",
        "turn on chrony or systemd-timesyncd, or set clock.require_sync: false",
    ),
    "clock.unknown": Sentence(
        "không biết đồng hồ máy này có được đồng bộ hay không (nhân hệ điều hành không cho hỏi)",
        "it is not known whether this machine's clock is kept: the kernel may not be asked",
        "cho phép adjtimex (bỏ ProtectClock, quyền container), hoặc đặt clock.require_sync: false",
        "allow adjtimex (ProtectClock, the container's rights), or set clock.require_sync: false",
    ),
    "state.foreign": Sentence(
        "thư mục trạng thái {state} thuộc tài khoản {owner}: không chạy bằng root để khỏi để lại"
        " tệp mà {owner} không mở được",
        "the state directory {state} belongs to {owner}: running as root would leave files there"
        " that {owner} cannot open",
        "chạy lại bằng: runuser -u {owner} -- opsd ...",
        "run it as: runuser -u {owner} -- opsd ...",
    ),
    "store.failed": Sentence(
        "không đọc hoặc ghi được lịch sử {path}",
        "the history {path} cannot be read or written",
        "kiểm tra ổ đĩa và quyền; nếu tệp hỏng, đổi tên nó và chạy `opsd store rebuild`",
        "look at disk and permissions; if the file is damaged, move it away and run"
        " `opsd store rebuild`",
    ),
    "store.newer": Sentence(
        "lịch sử {path} do phiên bản opsd mới hơn ghi (dạng {version})",
        "the history {path} was written by a newer opsd (form {version})",
        "dùng phiên bản opsd mới hơn",
        "use the newer opsd",
    ),
    "set.unknown": Sentence(
        "không có bộ sao lưu tên {name}; hiện có: {known}",
        "there is no backup set {name}; there are: {known}",
    ),
    "run.crashed": Sentence(
        "opsd gặp lỗi nội bộ {error}",
        "opsd met an internal error: {error}",
        "gửi nhật ký cho người phát triển",
        "send the log to the developers",
    ),
    "run.died": Sentence(
        "tiến trình {pid} đã chết giữa chừng; không có gì của lần chạy này được coi là thành công",
        "process {pid} died in the middle; nothing of this run counts as done",
        "chạy lại; `opsd status` cho biết điểm khôi phục gần nhất",
        "run it again; `opsd status` shows the newest recovery point",
    ),
}
