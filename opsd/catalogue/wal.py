"""Sentences about the log of a database server (WAL): who receives it, what is at risk."""

from opsd.catalogue.language import Sentence

_FAULTS: dict[str, Sentence] = {
    "wal.none": Sentence(
        "bộ {name} không có thành phần nào nhận nhật ký (WAL)",
        "no member of the set {name} has its log (WAL) received",
        "thêm nhóm `wal` vào thành phần postgres (docs/wal.md)",
        "add the group `wal` to a postgres member (docs/wal.md)",
    ),
    "wal.no_storage": Sentence(
        "kho {repository} không nhận được nhật ký: cần một thư mục hoặc một bucket",
        "the repository {repository} cannot take the log: a directory or a bucket can",
    ),
    "wal.setup_standby": Sentence(
        "{name}: đây là máy dự phòng; hãy thiết lập trên máy chủ chính",
        "{name}: this is a standby; set up the primary server",
    ),
    "wal.remote_apply": Sentence(
        "synchronous_commit = remote_apply: giao dịch sẽ chờ mãi, vì nơi nhận nhật ký không áp"
        " dụng nó",
        "synchronous_commit = remote_apply: commits would wait for ever, since a receiver of the"
        " log"
        " does not apply it",
        "đặt synchronous_commit = on",
        "set synchronous_commit = on",
    ),
    "seal.broken": Sentence(
        "đối tượng {name} không đúng như khi đã ghi: bị hỏng, bị sửa hoặc bị tráo",
        "the object {name} is not what was written: damaged, altered or exchanged",
    ),
    "seal.password": Sentence(
        "mật khẩu trong {path} không mở được khoá của nhật ký (opsd-objects/wal/key.json)",
        "the password in {path} does not open the keys of the log (opsd-objects/wal/key.json)",
        "nếu mật khẩu kho vừa đổi: khoá nhật ký vẫn theo mật khẩu cũ, hãy dùng lại mật khẩu cũ",
        "if the repository's password was changed: the keys of the log still have the old one, use"
        " that",
    ),
    "storage.put_failed": Sentence("không ghi được {path}", "{path} cannot be written"),
}

_STATES: dict[str, Sentence] = {
    "wal.protected": Sentence(
        "mỗi giao dịch chờ tới khi {wanted} nơi nhận đã giữ chắc ({live}/{all} đang nhận)",
        "every commit waits until {wanted} of {all} receivers have it safely ({live} receive)",
    ),
    "wal.unreachable": Sentence(
        "không hỏi được máy chủ: không biết đang được bảo vệ hay không",
        "the server does not answer: whether it is protected is not known",
    ),
    "wal.exposed": Sentence(
        "KHÔNG ĐƯỢC BẢO VỆ từ {since} (vị trí {lsn}), theo fall_back_after: đang có thể mất {bytes}"
        " ({live}/{all} đang nhận)",
        "NOT PROTECTED since {since} (position {lsn}), as fall_back_after says: {bytes} may be lost"
        " ({live} of {all} receive)",
        "đưa một nơi nhận trở lại; giao dịch lại chờ nó khi nó đã theo gần kịp, và sự cố tự hết khi"
        " nó có đủ",
        "bring a receiver back; commits wait for it again once it is close, and this ends by itself"
        " when it has everything",
    ),
    "wal.fewer": Sentence(
        "giao dịch chỉ còn chờ {count} nơi nhận thay vì {wanted}, từ {since} (vị trí {lsn}), theo"
        " fall_back_after: {bytes} chưa có ở đủ số nơi nhận ({live}/{all} đang nhận)",
        "commits wait for {count} receivers instead of {wanted} since {since} (position {lsn}), as"
        " fall_back_after says: {bytes} are with fewer receivers than agreed ({live} of {all} are"
        " there)",
        "đưa nơi nhận còn thiếu trở lại; khi nó đã theo gần kịp thì giao dịch lại chờ đủ số",
        "bring the missing receiver back; once it is close commits wait for as many as agreed",
    ),
    "wal.too_few": Sentence(
        "chỉ còn {live}/{all} nơi nhận mà phải chờ {count}, đã {span}; {waiting} giao dịch đang"
        " chờ",
        "only {live} of {all} receivers for {span}, and {count} are needed; {waiting} commits wait",
        "đưa nơi nhận còn thiếu trở lại: opsd wal status BỘ; để máy chủ không phải đợi mãi, đặt"
        " fall_back_after hoặc thêm một nơi nhận",
        "bring the missing receiver back: opsd wal status SET; so that the server need not wait for"
        " ever give fall_back_after, or have one receiver more",
    ),
    "wal.standby": Sentence(
        "máy chủ này là máy dự phòng: không ai ghi ở đây", "this server is a standby"
    ),
    "wal.no_receiver": Sentence(
        "không còn nơi nhận nào đã {span}; {waiting} giao dịch đang chờ",
        "no receiver for {span}; {waiting} commits wait",
        "xem nơi nhận và đường mạng: opsd wal status BỘ",
        "look at the receivers and the network: opsd wal status SET",
    ),
    "wal.weakened": Sentence(
        "giao dịch không còn an toàn như đã thiết lập: {settings}",
        "commits are not as safe as they were set up to be: {settings}",
        "đặt lại là on: ALTER SYSTEM SET ... = on rồi SELECT pg_reload_conf(); của một vai trò hay"
        " cơ sở dữ liệu: ALTER ROLE | DATABASE ... RESET synchronous_commit. Với remote_apply, giao"
        " dịch chờ mãi",
        "set it to on: ALTER SYSTEM SET ... = on, then SELECT pg_reload_conf(); where a role or a"
        " database has its own: ALTER ROLE | DATABASE ... RESET synchronous_commit. With"
        " remote_apply commits wait for ever",
    ),
    "wal.hidden": Sentence(
        "không biết synchronous_commit của máy chủ: vai trò hay cơ sở dữ liệu mà opsd dùng có giá"
        " trị riêng, và {role} không hỏi được",
        "the server's synchronous_commit is not known: the role or the database that opsd uses has"
        " its own, and {role} cannot ask",
        "bỏ giá trị riêng ấy: ALTER ROLE | DATABASE ... RESET synchronous_commit; hoặc cho {role}"
        " vào từ máy này: opsd wal setup BỘ --plan",
        "take that away: ALTER ROLE | DATABASE ... RESET synchronous_commit; or let {role} in from"
        " this machine: opsd wal setup SET --plan",
    ),
    "wal.unprotected": Sentence(
        "giao dịch không chờ ai: synchronous_standby_names không như cấu hình"
        " ({live}/{all} đang nhận)",
        "commits wait for nobody: synchronous_standby_names is not what the configuration wants"
        " ({live} of {all} receive)",
        "chạy: opsd wal setup BỘ --plan, rồi không có --plan",
        "run: opsd wal setup SET --plan, then without --plan",
    ),
    "wal.one_left": Sentence(
        "chỉ còn {live}/{all} nơi nhận; mất nốt thì giao dịch phải chờ",
        "only {live} of {all} receivers are left; without them commits wait",
    ),
    "wal.receives": Sentence(
        "đang nhận; máy chủ giữ lại {retained}", "receives; the server keeps {retained} for it"
    ),
    "wal.receiver_down": Sentence(
        "nơi nhận {receiver} không nhận",
        "{receiver} does not receive",
        "opsd khởi động lại nó nếu nó chạy ở máy này; nếu ở máy khác, xem opsd ở máy đó có chạy"
        " không; nếu vẫn vậy, xem máy chủ, mật khẩu, đường mạng",
        "opsd starts it again where it runs on this machine; else look whether opsd runs there;"
        " then at the server, the password and the network",
    ),
    "wal.receiver_hung": Sentence(
        "nơi nhận {receiver} vẫn nối nhưng không nhận thêm gì",
        "{receiver} is connected and takes nothing",
        "opsd khởi động lại nó nếu nó chạy ở máy này; nếu vẫn vậy, xem ổ của nơi nhận ấy",
        "opsd starts it anew where it runs on this machine; where that does not help, look at its"
        " disk",
    ),
    "wal.slot_lost": Sentence(
        "máy chủ đã bỏ phần nhật ký mà {receiver} chưa nhận: có khoảng trống",
        "the server dropped log that {receiver} has not received: there is a gap",
        "nơi nhận tự bắt đầu lại từ sau chỗ đó; nếu không nơi nào khác có phần ấy, chụp bản gốc mới"
        " ngay: opsd wal base BỘ",
        "the receiver begins anew behind it by itself; where nobody else has that part, take a new"
        " base copy now: opsd wal base SET",
    ),
    "wal.slot_large": Sentence(
        "máy chủ đã phải giữ {retained} cho {receiver} (giới hạn {limit})",
        "the server had to keep {retained} for {receiver} (limit {limit})",
        "đưa nơi nhận trở lại trước khi tới giới hạn: quá giới hạn là có khoảng trống",
        "bring the receiver back before the limit is reached: beyond it there is a gap",
    ),
    "wal.disk": Sentence(
        "ổ của nơi nhận {receiver} chỉ còn {free}",
        "only {free} is free under the receiver {receiver}",
        "dọn ổ ấy hoặc chuyển nơi nhận sang ổ lớn hơn; đừng xoá nhật ký trong đó",
        "make room on that disk or move the receiver to a larger one; never delete the log there",
    ),
    "wal.kept": Sentence(
        "kho {repository} có mọi giao dịch tới {at}", "{repository} has every commit until {at}"
    ),
    "wal.not_known": Sentence(
        "chưa biết kho {repository} có nhật ký tới đâu",
        "how far {repository} has the log is not known yet",
    ),
    "wal.not_shipped": Sentence(
        "không gửi được nhật ký vào kho {repository}",
        "the log does not reach {repository}",
        "xem kho có trả lời và còn chỗ không: opsd doctor; opsd tự gửi lại khi kho trở lại",
        "look whether it answers and has room: opsd doctor; opsd sends again when it is back",
    ),
    "wal.behind": Sentence(
        "kho {repository} chỉ có nhật ký tới {at}", "{repository} has the log only until {at}"
    ),
    "wal.gap": Sentence(
        "kho {repository} thiếu nhật ký từ {begin} tới {end} (ghi trong khoảng {since} đến"
        " {until});"
        " số khoảng trống: {count}",
        "{repository} lacks the log from {begin} to {end} (written between {since} and {until});"
        " gaps: {count}",
        "nếu nơi nhận còn giữ, opsd tự gửi lại; nếu không, chụp bản gốc mới ngay: opsd wal base BỘ",
        "what a receiver still has is sent again by itself; else copy a base: opsd wal base SET",
    ),
    "wal.no_history": Sentence(
        "thiếu tệp {name}: nhật ký trước đó không dẫn tới dòng thời gian này",
        "the file {name} is missing: the log before it does not lead to this timeline",
        "chép tệp đó từ pg_wal của máy chủ vào thư mục của nơi nhận, opsd tự gửi; nếu không còn,"
        " chụp bản gốc mới: opsd wal base BỘ",
        "copy it from the server's pg_wal into a receiver's directory: opsd sends it; where it is"
        " nowhere any more copy a base: opsd wal base SET",
    ),
    "wal.refused": Sentence(
        "nơi nhận đưa tới tệp nhật ký hỏng hoặc của máy chủ khác; không đưa vào kho {repository}",
        "a receiver has log files that are damaged or another server's; {repository} does not take"
        " them",
        "xem ai ghi vào thư mục của nơi nhận, và địa chỉ máy chủ có còn đúng không; sau đó chụp bản"
        " gốc mới: opsd wal base BỘ",
        "look who else writes into the receiver's directory, and whether the address is still that"
        " server's; then copy a base: opsd wal base SET",
    ),
}

_SETUP: dict[str, Sentence] = {
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
    "wal.stray_commit": Sentence(
        "{where} đặt synchronous_commit = {value}: giao dịch ở đó không được bảo vệ",
        "{where} sets synchronous_commit = {value}: its commits are not protected",
    ),
    "wal.password": Sentence(
        "đặt mật khẩu cho {role} (psql: \\password {role}), ghi vào tệp passfile",
        "give {role} a password (psql: \\password {role}), and write it into the passfile",
    ),
    "wal.no_way_in": Sentence(
        "{role} chưa vào nhận nhật ký được; thêm vào pg_hba.conf: hostssl replication {role}"
        " ĐỊA-CHỈ"
        " scram-sha-256. Máy chủ nói: {said}",
        "{role} may not come in for the log; add to pg_hba.conf: hostssl replication {role} ADDRESS"
        " scram-sha-256. The server said: {said}",
    ),
}

_STATUS: dict[str, Sentence] = {
    "wal.loss_title": Sentence("Nếu hỏng ngay bây giờ thì mất", "What would be lost right now"),
    "wal.loss_receiver": Sentence(
        "chỉ còn nơi nhận {receiver}", "only the receiver {receiver} is left"
    ),
    "wal.loss_repository": Sentence("chỉ còn kho {repository}", "only {repository} is left"),
    "wal.loss_unknown": Sentence("không biết", "not known"),
    "wal.loss_at_most": Sentence("tối đa {span}", "at most {span}"),
    "wal.reach_title": Sentence("Khôi phục được tới mọi lúc", "Recovery to any moment"),
    "wal.reach": Sentence(
        "sớm nhất {oldest}\nmới nhất {newest}", "oldest {oldest}\nnewest {newest}"
    ),
    "wal.reach_gaps": Sentence("; khoảng trống: {count}", "; gaps: {count}"),
    "wal.measured": Sentence("Thời gian đo được", "Time measured"),
    "wal.forecast": Sentence("Dự kiến tới lúc này", "Expected to now"),
}

_HELP: dict[str, Sentence] = {
    "help.wal": Sentence(
        "nhật ký của máy chủ cơ sở dữ liệu (WAL): thiết lập, tình trạng",
        "the log of a database server (WAL): set up, status",
    ),
    "help.wal.action": Sentence(
        "setup: đặt máy chủ; status: ngay bây giờ sẽ mất gì; base: chụp bản gốc; bases: liệt kê;"
        " replay: phát lại thử; rekey: đổi mật khẩu cho khoá của nhật ký",
        "setup: prepare the server; status: what would be lost right now; base: take a base copy;"
        " bases: show them; replay: prove them; rekey: a new password for the keys of the log",
    ),
    "help.wal.old-password-file": Sentence(
        "rekey: tệp có mật khẩu cũ của kho", "rekey: a file with the repository's old password"
    ),
    "wal.no_keys": Sentence(
        "kho {repository} chưa có khoá của nhật ký", "{repository} has no keys of the log yet"
    ),
    "wal.rekeyed": Sentence(
        "kho {repository}: khoá của nhật ký đã theo mật khẩu mới",
        "{repository}: the keys of the log are under the new password",
    ),
    "help.wal.plan": Sentence(
        "setup: chỉ cho xem từng lệnh, không làm gì", "setup: only show each statement, do nothing"
    ),
}

TABLE: dict[str, Sentence] = {**_FAULTS, **_STATES, **_SETUP, **_STATUS, **_HELP}
