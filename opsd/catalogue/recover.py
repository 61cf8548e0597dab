"""Sentences about recovery to a moment and the nightly replay."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "task.base": Sentence("chụp bản gốc", "base copy"),
    "task.replay": Sentence("phát lại thử", "replay"),
    "phase.base": Sentence("Chụp cả cụm máy chủ", "Copying the whole cluster"),
    "phase.choose": Sentence("Chọn thời điểm", "Choosing the moment"),
    "phase.replay": Sentence("Phát lại nhật ký", "Replaying the log"),
    "recover.no_base": Sentence(
        "{name}: không có bản gốc nào đủ cũ cho thời điểm này (cũ nhất: {oldest})",
        "{name}: no base copy is old enough for this moment (the oldest: {oldest})",
        "chọn thời điểm sau đó; cũ hơn thì chỉ có các lần sao lưu: opsd points BỘ, opsd restore",
        "choose a later moment; of older ones there are backups only: opsd points SET,"
        " opsd restore",
    ),
    "recover.no_bases": Sentence(
        "{name}: chưa có bản gốc nào",
        "{name}: there is no base copy yet",
        "chụp một bản: opsd wal base BỘ; cho tới khi có, chỉ có các lần sao lưu: opsd restore",
        "take one: opsd wal base SET; until there is one, there are backups only: opsd restore",
    ),
    "recover.bare_no_base": Sentence(
        "kho này không có bản gốc nào của bộ {name}; có của: {known}",
        "this repository has no base copy of a set {name}; it has those of: {known}",
        "xem lại tên bộ; bộ không có nhật ký: opsd restore",
        "look at the name of the set; one without a log: opsd restore",
    ),
    "recover.beyond": Sentence(
        "{name}: nhật ký có được chỉ tới khoảng {at} (vị trí {end}), chưa tới đích",
        "{name}: the log that there is ends about {at} (position {end}), before the goal",
        "tới giao dịch cuối cùng có được: --to now; nơi nhận ở máy khác có thể còn nhiều hơn",
        "for the last commit there is: --to now; a receiver on another machine may have more",
    ),
    "recover.future": Sentence(
        "thời điểm {at} chưa tới",
        "the moment {at} is still to come",
        "tới giao dịch cuối cùng có được: --to now",
        "for the last commit there is: --to now",
    ),
    "recover.segment": Sentence(
        "đoạn nhật ký {name} không ở đâu còn nguyên vẹn",
        "the segment {name} of the log is nowhere what it should be",
    ),
    "recover.inconsistent": Sentence(
        "nhật ký chỉ tới {begin}, mà bản gốc cần tới {end} mới nhất quán",
        "the log ends at {begin}, and the base copy is consistent only from {end} on",
    ),
    "recover.gap": Sentence(
        "nhật ký thiếu từ {begin} tới {end} (ghi trong khoảng {since} đến {until})",
        "the log lacks {begin} to {end} (written between {since} and {until})",
        "chọn thời điểm trước khoảng trống, hoặc tìm lại đoạn đó ở một nơi nhận khác",
        "choose a moment before the gap, or find the segment with another receiver",
    ),
    "recover.not_reached": Sentence(
        "nhật ký hết trước khi tới đích",
        "the log ended before the goal was reached",
        "tới giao dịch cuối cùng có được, vào chính thư mục này: --to now --delta",
        "for the last commit there is, into the same directory: --to now --delta",
    ),
    "recover.ended_early": Sentence(
        "phát lại dừng ở {reached}, mà nhật ký có tới {end}: đoạn ở đó không đọc được",
        "the replay ended at {reached}, and there is log until {end}: it cannot be read there",
        "khôi phục từ các kho thôi, trên một máy không có nơi nhận: opsd recover --repository-url",
        "recover from the repositories alone, without this machine's receivers: opsd recover"
        " --repository-url",
    ),
    "recover.lives": Sentence(
        "trong {target} đang có máy chủ chạy: không ghi vào",
        "a server runs in {target}: nothing is written there",
        "dừng máy chủ đó và chọn một thư mục trống",
        "stop it and choose an empty directory",
    ),
    "recover.in_cluster": Sentence(
        "{target} nằm trong thư mục dữ liệu {data}: không ghi vào",
        "{target} lies in the data directory {data}: nothing is written there",
        "chọn một thư mục trống ở ngoài mọi cụm máy chủ",
        "choose an empty directory outside of any cluster",
    ),
    "target.barred": Sentence(
        "không ghi được vào {target}: {place} không phải thư mục mà tài khoản {account} được ghi",
        "{target} cannot be written: {place} is no directory that {account} may write to",
        "chọn thư mục khác, hoặc tạo trước, bằng root: install -d -o {account} {target}",
        "choose another, or make it first, as root: install -d -o {account} {target}",
    ),
    "recover.target_used": Sentence(
        "{target} không trống: không ghi đè",
        "{target} is not empty: nothing is written over",
        "chọn một thư mục trống; đè lên cụm cũ, chỉ lấy phần khác: --delta",
        "choose an empty directory; over an older cluster, fetching what differs only: --delta",
    ),
    "recover.other_cluster": Sentence(
        "{target} không trống, và {data} không phải cụm của máy chủ này: không ghi đè",
        "{target} is not empty, and {data} is no cluster of this server: nothing is written over",
        "chọn một thư mục trống; hoặc dời cụm cũ vào {data} (cùng ổ đĩa thì tức thì)",
        "choose an empty directory; or move the old cluster to {data} (at once, on the same disk)",
    ),
    "recover.was_alive": Sentence(
        "cụm trong {data} không do opsd đặt vào: có thể là cụm từng chạy thật, không ghi đè",
        "the cluster in {data} was not put there by opsd: it may be one that was alive;"
        " nothing is written over",
        "chắc chắn muốn ghi đè: thêm --over-live-cluster",
        "to write over it all the same: --over-live-cluster besides",
    ),
    "recover.bare_drop": Sentence(
        "before-drop cần tên cơ sở dữ liệu, chỉ có trong cấu hình",
        "before-drop needs the name of the database, which only a configuration has",
        "chọn thời điểm: --to THỜI-ĐIỂM",
        "choose the moment: --to TIME",
    ),
    "recover.bare_mariadb": Sentence(
        "bộ {name}: các bản gốc trong kho là của MariaDB, cần cấu hình mới khôi phục được",
        "the set {name}: the base copies there are of MariaDB, which needs a configuration",
        "viết opsd.yaml với thành phần đó và kho này (docs/mariadb.md), rồi opsd recover",
        "write an opsd.yaml with that member and this repository (docs/mariadb.md), then"
        " opsd recover",
    ),
    "recover.no_files": Sentence(
        "bộ {name} chưa có điểm khôi phục nào có tệp",
        "no recovery point of the set {name} has files",
    ),
    "recover.in_receiver": Sentence(
        "{target} nằm trong thư mục của nơi nhận nhật ký",
        "{target} lies in the directory of a receiver",
    ),
    "recover.base_damaged": Sentence(
        "bản gốc {id} khôi phục ra không khớp bản kê của nó",
        "the base copy {id} does not come back as its manifest says",
        "dùng bản gốc khác: xem opsd wal bases BỘ; kiểm tra kho",
        "use another base copy: see opsd wal bases SET; check the repository",
    ),
    "recover.goal": Sentence(
        "không hiểu đích {found}",
        "this is no goal: {found}",
        "viết: now | THỜI-ĐIỂM | VỊ-TRÍ (16/B374D848) | name TÊN | before-drop LƯỢC-ĐỒ.BẢNG"
        " | timeline SỐ",
        "write: now | TIME | POSITION (16/B374D848) | name NAME | before-drop SCHEMA.TABLE"
        " | timeline NUMBER",
    ),
    "recover.not_dropped": Sentence(
        "từ {at} tới nay không có giao dịch nào xoá bảng {table}",
        "since {at} no commit has dropped the table {table}",
        "kiểm tra tên (LƯỢC-ĐỒ.BẢNG), hoặc chọn thời điểm bằng --to THỜI-ĐIỂM",
        "look at the name (SCHEMA.TABLE), or choose the moment with --to TIME",
    ),
    "recover.no_name": Sentence(
        "nhật ký từ bản gốc {oldest} tới nay không có điểm tên {point}",
        "the log since the base copy of {oldest} has no point named {point}",
        "kiểm tra tên (hoa, thường khác nhau), hoặc chọn thời điểm bằng --to THỜI-ĐIỂM",
        "look at the name (case counts), or choose the moment with --to TIME",
    ),
    "recover.no_timeline": Sentence(
        "không nơi nào có nhật ký {name} của dòng thời gian {timeline}",
        "nobody has log of {name} of timeline {timeline}",
        "các dòng thời gian mà máy chủ đã bỏ: opsd wal status BỘ",
        "the timelines that the server left: opsd wal status SET",
    ),
    "recover.several": Sentence(
        "bộ {name} có nhiều máy chủ được nhận nhật ký; chọn bằng --member: {known}",
        "the set {name} has several servers whose log is received; choose with --member: {known}",
    ),
    "recover.no_member": Sentence(
        "bộ {name} không có máy chủ nào tên {member} được nhận nhật ký; có: {known}",
        "the set {name} has no server {member} whose log is received; there is: {known}",
    ),
    "recover.two_histories": Sentence(
        "nhật ký trong {directory} là của một lịch sử khác với kho: không dùng",
        "the log in {directory} is of another history than the repository's: it is not used",
        "máy chủ đã bị đưa về bản cũ: docs/wal.md, 'A server that was put back'",
        "the server was put back to an older copy: docs/wal.md, 'A server that was put back'",
    ),
    "replay.paths_differ": Sentence(
        "bản kết xuất của điểm {point} và nhật ký phát lại tới đúng lúc đó KHÔNG giống nhau",
        "the dump of point {point} and the log, replayed to the same place, DIFFER",
        "một trong hai không đáng tin: opsd prove BỘ cho bản kết xuất, opsd wal base BỘ cho bản gốc"
        " mới; báo người phụ trách cơ sở dữ liệu",
        "one of the two is not to be trusted: opsd prove SET for the dump, opsd wal base SET for a"
        " new base copy; tell whoever looks after the database",
    ),
    "replay.damaged": Sentence(
        "kho {repository}: đoạn nhật ký hoặc phần của bản gốc bị hỏng: {names}",
        "{repository}: segments of the log, or packs of base copies, are damaged: {names}",
        "chụp bản gốc mới ngay (opsd wal base BỘ): nó không dùng lại phần hỏng; đoạn nhật ký mà nơi"
        " nhận còn giữ thì opsd tự gửi lại; tìm nguyên nhân hỏng của kho",
        "take a new base copy now (opsd wal base SET): it shares nothing that is damaged; a segment"
        " that a receiver still has is sent again by itself; look for what damages this repository",
    ),
    "replay.no_meeting": Sentence(
        "không bản kết xuất nào trong các điểm mới nhất khớp được với một vị trí trong nhật ký",
        "no dump of the newest points could be lined up with a place in the log",
        "đêm đầu tiên thì bình thường: chưa có bản gốc nào cũ hơn bản kết xuất; còn lại, báo người"
        " phụ trách nếu nhiều đêm liền như vậy",
        "in the first night it is to be expected: no base copy is older than a dump yet; where it"
        " goes on for several nights tell whoever looks after the database",
    ),
    "replay.moment": Sentence(
        "phát lại tới {asked} nhưng giao dịch mới nhất có được là {at}",
        "replayed until {asked}, but the newest commit in it is of {at}",
    ),
    "recover.at_hand_damaged": Sentence(
        "bản gốc giữ trong cache không tốt: đã lấy lại từ kho",
        "the base copy in the cache is not good: it was fetched instead",
        "xem chi tiết; kiểm tra ổ đĩa của `cache` trên máy này",
        "see the detail; look at the disk of `cache` on this machine",
    ),
    "recover.plan_title": Sentence("{name}: sẽ khôi phục", "{name}: to be recovered"),
    "recover.label_base": Sentence("Bản gốc", "Base copy"),
    "recover.base": Sentence(
        "của {at}, {bytes}, trong kho {repository}", "of {at}, {bytes}, in {repository}"
    ),
    "recover.base_at_hand": Sentence(
        "của {at}, {bytes}, có sẵn trên máy này", "of {at}, {bytes}, at hand on this machine"
    ),
    "recover.label_log": Sentence("Nhật ký", "Log"),
    "recover.log": Sentence(
        "{count} đoạn, {bytes}, tới vị trí {end}", "{count} segments, {bytes}, until {end}"
    ),
    "recover.label_goal": Sentence("Tới", "Until"),
    "recover.goal_now": Sentence("giao dịch cuối cùng có được", "the last commit there is"),
    "recover.goal_timeline": Sentence("cuối dòng thời gian {name}", "the end of timeline {name}"),
    "recover.goal_name": Sentence("điểm tên {name}", "the point named {name}"),
    "recover.goal_lsn": Sentence("vị trí {lsn}", "the position {lsn}"),
    "recover.goal_before": Sentence("ngay trước vị trí {lsn}", "just before the position {lsn}"),
    "recover.label_target": Sentence("Vào", "Into"),
    "recover.label_expected": Sentence("Ước chừng", "It may take"),
    "recover.done": Sentence(
        "ĐÃ KHÔI PHỤC {name} trong {span}: giao dịch mới nhất {at}, vị trí {lsn}",
        "RECOVERED {name} in {span}: the newest commit is of {at}, position {lsn}",
        "máy chủ đã dừng; khởi động bằng tài khoản {owner}: {program} -D {data} start (thêm"
        " postgresql.conf, pg_hba.conf nếu thiếu)",
        "it is stopped; start it as {owner}: {program} -D {data} start (with a postgresql.conf and"
        " a pg_hba.conf, where there are none)",
    ),
    "recover.paused": Sentence(
        "{name} ĐANG DỪNG Ở ĐÍCH sau {span}: giao dịch mới nhất {at}, vị trí {lsn}",
        "{name} STANDS AT THE GOAL after {span}: the newest commit is of {at}, position {lsn}",
        "khởi động bằng tài khoản {owner}: {program} -D {data} start: chỉ đọc được; xem xong,"
        " SELECT pg_wal_replay_resume() để ghi được. Chưa làm vậy thì giữ {wal}, không dời"
        " {target}",
        "start it as {owner}: {program} -D {data} start: it can only be read; when you have looked,"
        " SELECT pg_wal_replay_resume() lets it be written to. Until then keep {wal}, and"
        " {target} where it is",
    ),
    "recover.hand_over": Sentence(
        "cụm thuộc tài khoản {owner}: để máy chủ PostgreSQL của máy này dùng, bằng root:"
        " chown {account}: {target} && chown -R {account}: {owned}",
        "the cluster belongs to {owner}: for this machine's PostgreSQL to use it, as root:"
        " chown {account}: {target} && chown -R {account}: {owned}",
    ),
    "recover.read": Sentence(
        "Bảng: đã đọc từng dòng của {tables} bảng ({rows} dòng); số dòng và mã băm có trong --json"
        " và lịch sử",
        "Tables: each row of {tables} tables was read ({rows} rows); their rows and digests are in"
        " --json and in the history",
    ),
    "recover.files": Sentence(
        "Tệp: {files} tệp, {bytes} của điểm {point} ({at}), chụp sau thời điểm của cơ sở dữ liệu,"
        " nằm trong {place}",
        "Files: {files} files, {bytes} of point {point} ({at}), taken after the database's moment,"
        " lie in {place}",
    ),
    "recover.old_files": Sentence(
        "Tệp: {files} tệp, {bytes}, nằm trong {place}; mới nhất là của điểm {point} ({at}), TRƯỚC"
        " thời điểm của cơ sở dữ liệu: tệp thêm sau đó không có",
        "Files: {files} files, {bytes} lie in {place}; the newest are those of point {point}"
        " ({at}), BEFORE the database's moment: those added since are missing",
    ),
    "recover.reconciled": Sentence(
        "Đối chiếu: {rows} tệp mà cơ sở dữ liệu nhắc tới; {older} tệp lấy từ điểm trước đó",
        "Reconciled: {rows} files that the database names; {older} came from the point before",
    ),
    "recover.not_reconciled": Sentence(
        "không đối chiếu: không có prove.reconcile cho cơ sở dữ liệu này, hoặc không dòng nào nhắc"
        " tới tệp",
        "nothing was reconciled: there is no prove.reconcile for this database, or no row names a"
        " file",
    ),
    "recover.strays": Sentence(
        "{count} tệp của {dossiers} hồ sơ không đối chiếu được: {names}; danh sách đủ: {path}",
        "{count} files of {dossiers} dossiers cannot be reconciled: {names}; all of them: {path}",
        "tìm các tệp đó ở máy chủ tệp còn sống, hoặc báo người nộp",
        "look for them on the file server if it lives, or tell those who handed them in",
    ),
    "recover.label_files": Sentence("Tệp", "Files"),
    "recover.files_known": Sentence("của điểm {point} ({at})", "those of point {point} ({at})"),
    "recover.files_then": Sentence(
        "của điểm đầu tiên chụp sau thời điểm đạt được",
        "those of the first point taken after the moment that is reached",
    ),
    "recover.files_none": Sentence("không lấy", "not brought"),
    "base.done": Sentence("{name}: {outcome}, trong {elapsed}", "{name}: {outcome}, in {elapsed}"),
    "replay.read": Sentence(
        "từ kho {repository} tới giao dịch lúc {at}; đã đọc {tables} bảng, {rows} dòng",
        "from {repository} until the commit of {at}; {tables} tables, {rows} rows were read",
    ),
    "base.none": Sentence("chưa có bản gốc nào", "there are no base copies"),
    "base.row": Sentence(
        "{id}  nhất quán từ {at}  {bytes}  kho {repository}",
        "{id}  consistent from {at} on  {bytes}  in {repository}",
    ),
    "help.recover": Sentence(
        "khôi phục cơ sở dữ liệu tới bất kỳ thời điểm nào, từ bản gốc và nhật ký",
        "recover a database to any moment, from a base copy and its log",
    ),
    "help.recover.to": Sentence(
        "now | THỜI-ĐIỂM | VỊ-TRÍ | name TÊN | before-drop LƯỢC-ĐỒ.BẢNG | timeline SỐ",
        "now | TIME | POSITION | name NAME | before-drop SCHEMA.TABLE | timeline NUMBER",
    ),
    "help.recover.target": Sentence(
        "thư mục trống; với --delta là nơi có cụm cũ",
        "an empty directory; with --delta where an older cluster lies",
    ),
    "help.recover.without-files": Sentence(
        "chỉ cơ sở dữ liệu, không lấy tệp", "the database alone, without files"
    ),
    "help.recover.digests": Sentence(
        "đọc từng dòng của mọi bảng, giữ số dòng và mã băm",
        "read every row of every table; keep how many, and a digest",
    ),
    "help.recover.delta": Sentence(
        "đè lên cụm cũ nằm ở THƯ-MỤC/cluster, chỉ lấy phần khác",
        "over an older cluster in DIRECTORY/cluster; only what differs is fetched",
    ),
    "help.recover.over-live-cluster": Sentence(
        "với --delta: đè cả cụm không do opsd đặt vào",
        "with --delta: even over a cluster that opsd did not put there",
    ),
    "help.recover.member": Sentence("chỉ thành phần này", "only this member"),
    "help.recover.plan": Sentence("chỉ cho xem kế hoạch", "only show the plan"),
    "help.recover.pause": Sentence(
        "dừng lại ở đích, chưa thành máy chủ ghi được",
        "stay at the goal, not yet a server to write to",
    ),
    "help.metavar.goal": Sentence("ĐÍCH", "GOAL"),
}
