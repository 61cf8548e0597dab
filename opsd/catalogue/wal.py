"""Sentences about the log of a database server (WAL): who receives it, what is at risk."""

from opsd.catalogue.language import Sentence

_FAULTS: dict[str, Sentence] = {
    "wal.none": Sentence(
        "bộ {name} không có thành phần nào nhận nhật ký (WAL)",
        "no member of the set {name} has its log (WAL) received",
        "thêm nhóm `wal` vào thành phần postgres (docs/wal.md)",
        "add the group `wal` to a postgres member (docs/wal.md)",
    ),
    "wal.setup_failed": Sentence(
        "{name}: máy chủ từ chối một lệnh; các lệnh trước đó đã làm",
        "{name}: the server refused a statement; those before it are done",
        "các lệnh này cần superuser: opsd wal setup {backup_set} --plan cho xem những lệnh còn lại,"
        " chạy chúng bằng psql với tài khoản postgres",
        "they need a superuser: opsd wal setup {backup_set} --plan shows those that are left; have"
        " postgres do them in psql",
    ),
    "wal.setup_mariadb": Sentence(
        "{members}: MariaDB, opsd không thiết lập máy chủ",
        "{members}: MariaDB, whose server opsd does not set up",
        "cấp quyền và bật log_bin theo docs/mariadb.md; rồi chạy opsd run",
        "grant the rights and turn log_bin on as docs/mariadb.md says; then start opsd run",
    ),
    "wal.no_storage": Sentence(
        "kho {repository} không nhận được nhật ký: cần một thư mục hoặc một bucket",
        "the repository {repository} cannot take the log: a directory or a bucket can",
    ),
    "wal.setup_standby": Sentence(
        "{name}: đây là máy dự phòng; hãy thiết lập trên máy chủ chính",
        "{name}: this is a standby; set up the primary server",
    ),
    "wal.another_server": Sentence(
        "đây là máy chủ khác ({there}); {directory} giữ nhật ký của {here}",
        "this is another server ({there}); {directory} has the log of {here}",
        "nhầm địa chỉ thì sửa connection; máy chủ mới thay máy cũ thì chuyển các tệp trong"
        " {directory} đi nơi khác, rồi opsd wal setup và opsd wal base",
        "mend connection if that is a mistake; where it is new in the place of the old one, move"
        " the files of {directory} elsewhere, then opsd wal setup and opsd wal base",
    ),
    "wal.recovers": Sentence(
        "máy chủ còn đang khôi phục, ở dòng thời gian {timeline}; {directory} đã có dòng {held}",
        "the server still recovers, on timeline {timeline}; {directory} has {held} already",
        "chờ khôi phục xong: nơi nhận tự bắt đầu; nếu lâu, xem máy chủ chờ gì",
        "wait until it has recovered: receivers begin by themselves; where that takes long, look"
        " what the server waits for",
    ),
    "wal.remote_apply": Sentence(
        "synchronous_commit = remote_apply: giao dịch sẽ chờ mãi, vì nơi nhận nhật ký không áp"
        " dụng nó",
        "synchronous_commit = remote_apply: commits would wait for ever, since a receiver of the"
        " log"
        " does not apply it",
        "đặt synchronous_commit = on; của vai trò hay cơ sở dữ liệu (xem chi tiết):"
        " ALTER ... RESET synchronous_commit",
        "set synchronous_commit = on; where a role or a database has it (see the detail):"
        " ALTER ... RESET synchronous_commit",
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
    "storage.remove_failed": Sentence("không xoá được {path}", "{path} cannot be removed"),
}

_PUT_BACK_VI = (
    "ổ đĩa của máy chủ đã bị đưa về bản cũ. Dừng máy chủ ngay. Muốn lại mọi giao dịch đã xác nhận:"
    " opsd recover BỘ --to now; muốn giữ thời điểm cũ: cho máy chủ lên dòng thời gian mới"
    " (recovery.signal). Từng bước: docs/wal.md, 'A server that was put back'"
)
_PUT_BACK = (
    "its disk was put back to an older copy. Stop it now. To have all acknowledged commits again:"
    " opsd recover SET --to now; to stay with the older moment: let it begin a new timeline"
    " (recovery.signal). Step by step: docs/wal.md, 'A server that was put back'"
)

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
        "commits wait for {count} instead of {wanted} receivers since {since} (position {lsn}), as"
        " fall_back_after says: {bytes} are with fewer receivers than agreed ({live} of {all} are"
        " there)",
        "đưa nơi nhận còn thiếu trở lại; khi nó đã theo gần kịp thì giao dịch lại chờ đủ số",
        "bring the missing receiver back; once it is close commits wait for as many as agreed",
    ),
    "wal.too_few": Sentence(
        "chỉ còn {live}/{all} nơi nhận mà phải chờ {count}, đã {span}; {waiting} giao dịch chờ",
        "only {live} of {all} receivers for {span}, and {count} are needed; {waiting} commits wait",
        "đưa nơi nhận còn thiếu trở lại; muốn giao dịch không phải đợi mãi, đặt fall_back_after"
        " hoặc thêm một nơi nhận",
        "bring the missing receiver back; so that commits never wait for ever, give fall_back_after"
        " or have one receiver more",
    ),
    "wal.went_back": Sentence(
        "MÁY CHỦ ĐÃ QUAY VỀ QUÁ KHỨ mà vẫn ở dòng thời gian {timeline}: từ {begin} nó ghi nhật ký"
        " khác với nhật ký đang giữ (tới {end}); lúc đó máy chủ ở {server}. Chỗ này không nhận thêm"
        " gì, để hai nhật ký không trộn vào nhau",
        "THE SERVER WENT BACK IN TIME and stayed on timeline {timeline}: from {begin} on it writes"
        " another log than the one that is held (to {end}); it was at {server} then. Nothing more"
        " is taken here, so that the two are not mixed",
        _PUT_BACK_VI,
        _PUT_BACK,
    ),
    "wal.went_back_exposed": Sentence(
        "MÁY CHỦ ĐÃ QUAY VỀ QUÁ KHỨ mà vẫn ở dòng thời gian {timeline}: từ {begin} nó ghi nhật ký"
        " khác với nhật ký đang giữ (tới {end}). Không nơi nào nhận, và theo fall_back_after giao"
        " dịch không chờ ai: điều được xác nhận lúc này KHÔNG ĐƯỢC BẢO VỆ",
        "THE SERVER WENT BACK IN TIME and stayed on timeline {timeline}: from {begin} on it writes"
        " another log than the one that is held (to {end}). It is not received, and as"
        " fall_back_after says commits wait for nobody: what is committed now is NOT PROTECTED",
        _PUT_BACK_VI,
        _PUT_BACK,
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
    "wal.server_disk": Sentence(
        "ổ của chính máy chủ ({place}) chỉ còn {free}: đầy là máy chủ dừng, không ai ghi được; nó"
        " giữ {kept} nhật ký cho nơi nhận",
        "only {free} is free on the server's own disk ({place}): when it is full the server stops"
        " and nobody can write; it keeps {kept} of its log for receivers",
        "dọn ổ ấy ngay, nhưng đừng xoá gì trong pg_wal. Nếu là nhật ký giữ cho nơi nhận vắng mặt:"
        " đưa nó trở lại; không được thì SELECT pg_drop_replication_slot('KHE'), rồi chụp bản gốc"
        " mới nếu không nơi nào khác có phần ấy: opsd wal base BỘ",
        "make room there now, but delete nothing in pg_wal. Where it is the log that is kept for a"
        " receiver that is away: bring that back; if you cannot, SELECT"
        " pg_drop_replication_slot('SLOT'), and where nobody else has that part take a new base"
        " copy: opsd wal base SET",
    ),
    "wal.server_room": Sentence(
        "ổ của chính máy chủ ({place}) còn {free}, mà máy chủ có thể phải giữ thêm tới {more} nhật"
        " ký (đang giữ {kept}): nơi nhận vắng lâu thì ổ đầy và máy chủ dừng trước khi tới giới hạn",
        "{free} is free on the server's own disk ({place}), and up to {more} more of its log may"
        " have to be kept there ({kept} is now): while a receiver is away it may be full, and the"
        " server stop, before the limit is reached",
        "mở rộng ổ ấy, hoặc đặt slot_limit thấp hơn rồi chạy: opsd wal setup BỘ",
        "make that disk larger, or set slot_limit lower and run: opsd wal setup SET",
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
        "giao dịch không chờ {wanted} nơi nhận như cấu hình: synchronous_standby_names = {names}"
        " ({live}/{all} đang nhận)",
        "commits do not wait for {wanted} of the receivers, as the configuration wants:"
        " synchronous_standby_names = {names} ({live} of {all} receive)",
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
    "wal.receives_aside": Sentence(
        "đang nhận; máy chủ giữ lại {retained}; nhật ký của thời gian đã bỏ còn trong aside-*:"
        " {aside}, {times} lần",
        "receives; the server keeps {retained} for it; log of abandoned times lies in aside-*:"
        " {aside}, set aside {times} times",
    ),
    "wal.left_behind": Sentence(
        "máy chủ nay ở dòng thời gian {to} và KHÔNG CÓ nhật"
        " ký của dòng {timeline} từ {begin} tới {end} ({bytes}, ít nhất {commits} giao dịch, có thể"
        " đã được xác nhận); phần ấy còn ở {places}",
        "the server is on timeline {to} now and LACKS"
        " the log of timeline {timeline} from {begin} to {end} ({bytes}, at least {commits}"
        " commits, which may have been acknowledged); it lies at {places}",
        "nếu không ai cố ý đưa máy chủ về lúc đó: xem thiếu gì theo docs/wal.md, 'What a new"
        " timeline lacks'. Hết cần thì chuyển các tệp ấy đi nơi khác",
        "where nobody meant to go back to there: see what is missing, docs/wal.md, 'What a new"
        " timeline lacks'. When nobody needs it any more, move it elsewhere",
    ),
    "wal.receiver_down": Sentence(
        "nơi nhận {receiver} không nhận",
        "{receiver} does not receive",
        "opsd khởi động lại nó nếu nó chạy ở máy này; nếu ở máy khác, xem opsd ở máy đó có chạy"
        " không; nếu vẫn vậy, xem máy chủ, mật khẩu, đường mạng, quyền ghi vào thư mục của nó",
        "opsd starts it again where it runs on this machine; else look whether opsd runs there;"
        " then at the server, the password, the network, and who may write into its directory",
    ),
    "wal.unseen": Sentence(
        "nơi nhận {receiver} đang nối vào, nhưng opsd không có quyền xem nó đã giữ tới đâu",
        "{receiver} is connected, and opsd may not see how far it has the log",
        "GRANT pg_monitor cho vai trò của opsd (opsd wal setup BỘ)",
        "GRANT pg_monitor to opsd's role (opsd wal setup SET)",
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
    "wal.disk_aside": Sentence(
        "ổ của nơi nhận {receiver} chỉ còn {free}; aside-* chiếm {aside}",
        "only {free} is free under the receiver {receiver}; aside-* takes {aside}",
        "xoá các thư mục aside-* nếu không ai cần thời gian đã bỏ ấy nữa: opsd không tự xoá; ngoài"
        " chúng đừng xoá nhật ký nào",
        "remove the directories aside-* when nobody needs those abandoned times any more: opsd does"
        " not; but for them delete no log there",
    ),
    "wal.kept": Sentence(
        "kho {repository} có mọi giao dịch tới {at}", "{repository} has every commit until {at}"
    ),
    "wal.not_known": Sentence(
        "chưa biết kho {repository} có nhật ký tới đâu",
        "how far {repository} has the log is not known yet",
    ),
    "wal.no_base": Sentence(
        "chưa biết có bản gốc nào trong kho {repository}: chưa khôi phục được gì từ nhật ký ở đó",
        "no base copy is known in {repository}: nothing can be recovered from the log there yet",
        "chụp bản gốc: opsd wal base BỘ",
        "take one: opsd wal base SET",
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
        "nếu nơi nhận hay kho khác còn giữ, opsd tự đưa lại; nếu không, chụp bản gốc mới ngay:"
        " opsd wal base BỘ",
        "what a receiver or another repository still has is brought again by itself; else copy a"
        " base: opsd wal base SET",
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

_STATUS: dict[str, Sentence] = {
    "wal.loss_title": Sentence("Nếu hỏng ngay bây giờ thì mất", "What would be lost right now"),
    "wal.loss_receiver": Sentence(
        "chỉ còn nơi nhận {receiver}", "only the receiver {receiver} is left"
    ),
    "wal.loss_repository": Sentence("chỉ còn kho {repository}", "only {repository} is left"),
    "wal.loss_files": Sentence(
        "tệp, từ điểm khôi phục mới nhất", "files, since the newest recovery point"
    ),
    "wal.loss_unknown": Sentence("không biết", "not known"),
    "wal.loss_at_most": Sentence("tối đa {span}", "at most {span}"),
    "wal.server_free": Sentence(
        "Chỗ trống ở ổ của máy chủ: {free}", "Free on the server's own disk: {free}"
    ),
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
    "wal.keys_gone": Sentence(
        "kho {repository}: mất khoá của nhật ký (opsd-objects/wal/key.json), mà trong kho có thứ"
        " cần khoá đó",
        "{repository}: the keys of the log (opsd-objects/wal/key.json) are gone, and something"
        " there needs them",
        "chép lại từ bản thứ hai: STATE/wal/KHO.key.json của máy opsd đã ghi vào kho này",
        "copy them back from their second place: STATE/wal/REPOSITORY.key.json of an opsd that"
        " wrote there",
    ),
    "wal.no_keys": Sentence(
        "kho {repository} chưa có khoá của nhật ký", "{repository} has no keys of the log yet"
    ),
    "wal.rekeyed": Sentence(
        "kho {repository}: khoá của nhật ký theo mật khẩu trong cấu hình",
        "{repository}: the keys of the log are under the password of the configuration",
    ),
    "wal.rekey_password": Sentence(
        "kho {repository}: cả mật khẩu trong cấu hình lẫn mật khẩu cũ trong {path} đều không mở"
        " được khoá của nhật ký",
        "{repository}: neither the password of the configuration nor the old one in {path} opens"
        " the keys of the log",
        "tìm mật khẩu cũ của kho này (bản niêm phong); chưa đổi gì ở kho này",
        "find the old password of this repository (the sealed copy); nothing was changed there",
    ),
    "help.wal.plan": Sentence(
        "setup: chỉ cho xem từng lệnh, không làm gì", "setup: only show each statement, do nothing"
    ),
}

TABLE: dict[str, Sentence] = {**_FAULTS, **_STATES, **_STATUS, **_HELP}
