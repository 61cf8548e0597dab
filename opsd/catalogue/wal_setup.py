"""Sentences about what is set on a server so that its log is received."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "wal.plan_title": Sentence("{name}: sẽ làm trên máy chủ", "{name}: to be done on the server"),
    "wal.plan_nothing": Sentence("{name}: không phải đổi gì", "{name}: nothing has to be changed"),
    "wal.plan_done": Sentence("{name}: đã làm {count} lệnh", "{name}: {count} statements done"),
    "wal.restart": Sentence("phải khởi động lại máy chủ", "needs a restart of the server"),
    "wal.advice": Sentence("Lưu ý", "To be known"),
    "wal.why_role": Sentence(
        "vai trò chỉ để nhận nhật ký", "a role that may receive the log and nothing else"
    ),
    "wal.why_monitor": Sentence("để thấy ai đang nhận tới đâu", "to see who receives, and how far"),
    "wal.why_fall_back": Sentence(
        "để làm được điều đã thoả thuận ở fall_back_after",
        "to be able to do what fall_back_after says",
    ),
    "wal.why_level": Sentence("nhật ký phải đủ để khôi phục", "the log must suffice to recover"),
    "wal.why_senders": Sentence("đủ chỗ cho mọi nơi nhận", "room for all receivers"),
    "wal.why_slot": Sentence(
        "máy chủ giữ nhật ký cho nơi nhận vắng mặt",
        "the server keeps the log for a receiver that is away",
    ),
    "wal.why_slot_limit": Sentence(
        "nhưng không để đầy ổ của máy chủ", "but does not fill the server's disk for it"
    ),
    "wal.why_commit": Sentence("giao dịch chờ nơi nhận", "commits wait for a receiver"),
    "wal.why_names": Sentence(
        "giao dịch chờ bấy nhiêu nơi nhận bất kỳ",
        "commits wait for so many of the receivers, whichever they are",
    ),
    "wal.why_summaries": Sentence(
        "bản gốc chỉ chép phần đã đổi", "base copies hold only what changed"
    ),
    "wal.why_reload": Sentence("để có hiệu lực", "so that it counts"),
    "wal.lone_receiver": Sentence(
        "chỉ có một nơi nhận ({name}): nó hỏng thì mọi giao dịch phải chờ; nên có hai, ở hai máy",
        "there is one receiver ({name}): when it fails all commits wait; have two, on two machines",
    ),
    "wal.none_to_spare": Sentence(
        "giao dịch chờ cả {count} nơi nhận: một nơi hỏng thì mọi giao dịch phải chờ; nên thêm"
        " một nơi, hoặc đặt fall_back_after",
        "commits wait for all {count} receivers: when one fails all commits wait; have one more, or"
        " give fall_back_after",
    ),
    "wal.not_ready": Sentence(
        "chưa đủ {count} nơi đang nhận, nên chưa bắt giao dịch chờ: hãy chạy opsd run, rồi chạy lại"
        " lệnh này",
        "fewer than {count} receive yet, so commits are not made to wait: start opsd run, then do"
        " this again",
    ),
    "wal.role_may_more": Sentence(
        "vai trò {role} được phép nhiều hơn mức cần: {more}",
        "the role {role} may do more than it needs: {more}",
    ),
    "wal.unsafe_setting": Sentence(
        "{setting} = off: máy chủ mất điện là hỏng dữ liệu",
        "{setting} = off: a loss of power ruins the data",
    ),
    "wal.no_checksums": Sentence(
        "{name}: máy chủ không có mã kiểm trên trang (data_checksums = off): bản gốc chép cả trang"
        " hỏng mà không ai biết",
        "{name}: the server has no page checksums (data_checksums = off): a base copy takes damaged"
        " pages along, and nobody sees it",
        "dừng máy chủ rồi chạy: pg_checksums --enable -D THƯ-MỤC-DỮ-LIỆU",
        "stop the server and run: pg_checksums --enable -D DATA-DIRECTORY",
    ),
    "wal.slot_beyond_room": Sentence(
        "slot_limit ({limit}) lớn hơn chỗ trống của máy chủ ({free} ở {place}): nơi nhận vắng lâu"
        " thì ổ đầy và máy chủ dừng; đặt slot_limit thấp hơn hoặc mở rộng ổ",
        "slot_limit ({limit}) is more than the server has room for ({free} at {place}): while a"
        " receiver is away its disk may fill, and it stops; set slot_limit lower or make the disk"
        " larger",
    ),
    "wal.stray_commit": Sentence(
        "{where} đặt synchronous_commit = {value}: giao dịch ở đó không được bảo vệ",
        "{where} sets synchronous_commit = {value}: its commits are not protected",
    ),
    "wal.password": Sentence(
        "đặt mật khẩu cho {role} (psql: \\password {role}), ghi vào tệp passfile",
        "give {role} a password (psql: \\password {role}), and write it into the passfile",
    ),
    "wal.no_way_in": Sentence(
        "{role} chưa vào nhận nhật ký được: xem mật khẩu trong passfile, và pg_hba.conf có dòng:"
        " hostssl replication {role} ĐỊA-CHỈ scram-sha-256. Máy chủ nói: {said}",
        "{role} may not come in for the log: look at the password in its passfile, and for a line"
        " in pg_hba.conf: hostssl replication {role} ADDRESS scram-sha-256. The server said:"
        " {said}",
    ),
}
