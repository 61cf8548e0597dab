"""Sentences about members that commands of the site take."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "kind.command": Sentence("lệnh riêng", "command"),
    "phase.canary": Sentence("Làm hỏng thử", "Damaging a sample"),
    "doctor.command": Sentence("có lệnh {program}", "{program} is there"),
    "command.bad": Sentence(
        "{member}: lệnh {verb} kết thúc với mã {exit_code}: việc của nó không thành",
        "{member}: the command {verb} ended with {exit_code}: it did not do what it is for",
        "xem chi tiết nó nói; chạy lại bằng tay theo docs/command-members.md",
        "read what it says; run it by hand as docs/command-members.md tells",
    ),
    "command.unavailable": Sentence(
        "{member}: lệnh {verb} báo rằng thứ nó cần không trả lời (mã {exit_code})",
        "{member}: the command {verb} says that what it needs does not answer (exit code"
        " {exit_code})",
        "xem máy chủ mà nó làm việc cùng có chạy không",
        "look whether the server that it works with is running",
    ),
    "command.not_let_in": Sentence(
        "{member}: lệnh {verb} báo rằng nó không được cho vào (mã {exit_code})",
        "{member}: the command {verb} says that it was not let in (exit code {exit_code})",
        "xem mật khẩu và quyền của tài khoản mà nó dùng",
        "look at the password and the rights of the account that it uses",
    ),
    "command.in_the_way": Sentence(
        "{member}: lệnh {verb} không ghi đè lên thứ đã có ở đích (mã {exit_code})",
        "{member}: the command {verb} does not write over what is there already (exit code"
        " {exit_code})",
        "chọn đích trống",
        "choose a place that is empty",
    ),
    "command.broken": Sentence(
        "{member}: lệnh {verb} không chạy được hoặc bị giết giữa chừng (mã {exit_code})",
        "{member}: the command {verb} could not be run, or was killed (exit code {exit_code})",
        "xem chương trình có đó không, có quyền chạy không, máy có đủ bộ nhớ không",
        "look whether the program is there and may be run, and whether there is memory enough",
    ),
    "command.timed_out": Sentence(
        "{member}: lệnh {verb} chưa xong trong {limit}; đã kết thúc nó và mọi thứ nó khởi động",
        "{member}: the command {verb} was not done within {limit}; it was ended with all that it"
        " had started",
        "tăng timeout của nó, hoặc xem nó chờ gì",
        "raise its timeout, or look what it waits for",
    ),
    "command.memory": Sentence(
        "{member}: lệnh {verb} dùng {used} bộ nhớ, giới hạn {limit}; đã kết thúc nó",
        "{member}: the command {verb} used {used} of memory, its limit is {limit}; it was ended",
        "tăng memory của nó, hoặc sửa để nó dùng ít hơn",
        "raise its memory, or let it use less",
    ),
    "command.output": Sentence(
        "{member}: lệnh {verb} đã ghi {used}, giới hạn {limit}; đã kết thúc nó",
        "{member}: the command {verb} wrote {used}, its limit is {limit}; it was ended",
        "tăng output của nó, hoặc xem vì sao nó ghi nhiều hơn mọi ngày",
        "raise its output, or look why it writes more than it used to",
    ),
    "command.told_nothing": Sentence(
        "{member}: lệnh {verb} không ghi bản kê vào $OPSD_MANIFEST",
        "{member}: the command {verb} wrote no manifest to $OPSD_MANIFEST",
        "sửa nó theo docs/command-members.md",
        "mend it as docs/command-members.md says",
    ),
    "command.told_oddly": Sentence(
        "{member}: không hiểu được bản kê của lệnh {verb}: {why}",
        "{member}: the manifest of the command {verb} cannot be understood: {why}",
        "sửa nó theo docs/command-members.md",
        "mend it as docs/command-members.md says",
    ),
    "command.no_tables": Sentence(
        "{member}: bản kê của lệnh produce không có bảng nào",
        "{member}: the manifest of the command produce names no table",
    ),
    "command.no_bytes": Sentence(
        "{member}: lệnh produce không ghi byte nào vào $OPSD_ARTEFACT",
        "{member}: the command produce wrote no byte to $OPSD_ARTEFACT",
    ),
    "command.odd_file": Sentence(
        "{member}: {name} không phải tệp thường, không đọc được hoặc tên không phải UTF-8",
        "{member}: {name} is no ordinary file, cannot be read, or its name is not UTF-8",
    ),
    "command.not_configured": Sentence(
        "{member}: cấu hình không có các lệnh của thành phần này, nên không đưa dữ liệu về được",
        "{member}: no commands of this member are configured, so that nothing can bring it back",
        "đưa lại các lệnh vào cấu hình; bản kê của điểm khôi phục có ghi chúng",
        "put them into the configuration again; the manifest of the point names them",
    ),
    "restore.fetched_only": Sentence(
        "{member}: {files} tệp đã lấy về và khớp mã băm; chưa đưa dữ liệu vào đâu cả",
        "{member}: {files} files were fetched and match their hashes; nothing was loaded yet",
        "chạy lại với --member {member} --load-into NƠI, hoặc tự chạy: {argv}",
        "run again with --member {member} --load-into WHERE, or run it yourself: {argv}",
    ),
    "restore.file_differs": Sentence(
        "{member}: {count} tệp khác với lúc sao lưu: {names}",
        "{member}: {count} files are not what was backed up: {names}",
    ),
}
