"""Sentences about what is kept and dropped: retention, holds, locks, the audit chain."""

from opsd.catalogue.language import Sentence

_RETENTION: dict[str, Sentence] = {
    "task.retain": Sentence("lưu giữ và loại bỏ", "retention"),
    "phase.queue": Sentence("Chờ tới lượt", "Waiting for its turn"),
    "phase.forget": Sentence("Bỏ bản chụp", "Forgetting"),
    "phase.prune": Sentence("Thu hồi chỗ trống", "Pruning"),
    "retention.not_configured": Sentence(
        "bộ {name} không có chính sách lưu giữ: không loại bỏ gì",
        "the set {name} has no retention: nothing is dropped",
        "thêm nhóm `retention` vào cấu hình của bộ (docs/retention.md)",
        "add the group `retention` to the set in the configuration (docs/retention.md)",
    ),
    "retention.frozen": Sentence(
        "việc loại bỏ điểm cũ của {name} đang đóng băng ({causes}): không loại bỏ gì",
        "retention of {name} is frozen ({causes}): nothing is dropped",
        "xem `opsd retention plan {name}`, xử lý nguyên nhân, rồi"
        ' `opsd retention acknowledge {name} --reason "..."`',
        "look at `opsd retention plan {name}`, settle the cause, then"
        ' `opsd retention acknowledge {name} --reason "..."`',
    ),
    "retention.not_frozen": Sentence(
        "việc loại bỏ điểm cũ của {name} không bị đóng băng",
        "retention of {name} is not frozen",
    ),
    "retention.nothing_proved": Sentence(
        "chưa có điểm nào được chứng minh: không loại bỏ gì",
        "no recovery point is proved: nothing is dropped",
        "chứng minh một điểm trước: `opsd prove BỘ`",
        "prove a point first: `opsd prove SET`",
    ),
    "retention.proof_unknown": Sentence(
        "lần chứng minh gần nhất ({run}) không kết luận được: lần này không loại bỏ gì",
        "the last proof ({run}) was not concluded: nothing is dropped this time",
        "chứng minh lại; đạt thì lần sau tự làm tiếp",
        "prove again; once it passes, the next night goes on by itself",
    ),
    "retention.proof_failed": Sentence(
        "lần chứng minh {run} lúc {at} không đạt", "the proof {run} of {at} failed"
    ),
    "retention.future": Sentence(
        "điểm {point} ghi giờ {at}, sau hiện tại: đồng hồ đang sai hoặc đã từng sai",
        "the point {point} is dated {at}, after now: a clock is or was wrong",
    ),
    "retention.leap": Sentence(
        "giữa {before} và {after} không có điểm nào, dài hơn {limit}: opsd đã ngừng,"
        " hoặc đồng hồ nhảy",
        "between {before} and {after} there is no point, longer than {limit}:"
        " opsd stood still, or a clock leapt",
    ),
    "retention.rebuilt": Sentence(
        "lịch sử vừa được dựng lại từ kho: lệnh giữ lại (hold) nào chưa kịp ghi vào kho thì đã mất",
        "the history was rebuilt from the repositories: legal holds that were not yet in them are"
        " lost",
        "xem `opsd hold list`, đặt lại lệnh còn thiếu bằng `opsd hold add`, rồi xác nhận",
        "look at `opsd hold list`, set what is missing with `opsd hold add`, then acknowledge",
    ),
    "retention.not_removed": Sentence(
        "kho {repository} không cho xoá: {count} mục đáng lẽ phải đi vẫn còn",
        "the repository {repository} does not let go: {count} things that had to go are there",
        "kho chỉ-ghi-thêm thì loại bỏ bằng tài khoản khác; nếu không, xem quyền xoá",
        "where the storage is append-only another account must remove; else look at its rights",
    ),
    "retention.restoring": Sentence(
        "đang khôi phục từ kho {repository} (lần chạy {run}): không loại bỏ gì cho tới khi xong",
        "a restore reads from repository {repository} (run {run}): nothing goes until it is done",
    ),
    "retention.gave_way": Sentence(
        "có người bắt đầu khôi phục từ kho {repository}: việc loại bỏ nhường chỗ, lần sau làm tiếp",
        "somebody began to restore from repository {repository}: retention gave way to it; the next"
        " night goes on",
    ),
    "retention.cleared": Sentence(
        "đã bỏ {count} bản chụp của lần chạy {run}, vốn chết trước khi hoàn thành điểm khôi phục",
        "{count} snapshots of run {run} are removed, which died before it closed its point",
    ),
    "restore.beside": Sentence(
        "kho {repository} đang được dọn (lần chạy {run}) trong khi khôi phục: nếu thiếu khối thì"
        " chạy lại",
        "repository {repository} is being pruned (run {run}) while this restores: when objects are"
        " missing, restore again",
    ),
    "prune.memory": Sentence(
        "thu hồi chỗ trống của kho {repository} cần khoảng {needed} bộ nhớ, còn {free}: chưa làm",
        "pruning repository {repository} needs about {needed} of memory, {free} are free: not done",
        "thêm bộ nhớ, hoặc nới MemoryMax của unit; điểm cũ đã bỏ, chỗ trống được thu hồi sau",
        "add memory, or raise the unit's MemoryMax; what was dropped gives its space back later",
    ),
    "prune.memory_tight": Sentence(
        "thu hồi chỗ trống của kho {repository} cần khoảng {needed} bộ nhớ trong {free} còn lại",
        "pruning repository {repository} needs about {needed} of {free} of memory that are free",
    ),
    "retention.prune_goes_on": Sentence(
        "thu hồi chỗ trống chưa xong trong {limit}, lần sau làm tiếp",
        "giving space back was not done within {limit}; the next night goes on",
    ),
    "rule.no_rules": Sentence("không có chính sách: giữ tất cả", "no rules: all stay"),
    "rule.hold": Sentence("lệnh giữ lại", "legal hold"),
    "rule.last_proved": Sentence("điểm đã chứng minh gần nhất", "last proved"),
    "rule.minimum": Sentence("số điểm tối thiểu", "minimum number"),
    "rule.young": Sentence("chưa tới tuổi tối thiểu", "younger than the minimum age"),
    "rule.newest_data": Sentence("không trọn vẹn nhưng mới nhất", "not whole, but newest data"),
    "rule.daily": Sentence("của ngày", "daily"),
    "rule.weekly": Sentence("của tuần", "weekly"),
    "rule.monthly": Sentence("của tháng", "monthly"),
    "rule.yearly": Sentence("của năm", "yearly"),
    "cause.clock": Sentence("đồng hồ không đồng bộ", "clock not kept"),
    "cause.future": Sentence("điểm từ tương lai", "a point from the future"),
    "cause.leap": Sentence("khoảng trống dài", "a long gap"),
    "cause.proof": Sentence("chứng minh không đạt", "a proof failed"),
    "cause.anomaly": Sentence("dữ liệu khác thường", "unusual data"),
    "cause.rebuilt": Sentence("lịch sử dựng lại", "history rebuilt"),
}

_REPORTS: dict[str, Sentence] = {
    "keeping.title": Sentence(
        "{name}: giữ {kept} điểm, loại bỏ {dropped}", "{name}: {kept} points stay, {dropped} go"
    ),
    "keeping.stays": Sentence("GIỮ", "STAYS"),
    "keeping.goes": Sentence("BỎ", "GOES"),
    "keeping.no_rule": Sentence("không quy tắc nào giữ", "no rule keeps it"),
    "keeping.not_whole": Sentence("không trọn vẹn hoặc đã hỏng", "not whole, or found bad"),
    "keeping.done": Sentence(
        "{name}: {outcome}; giữ {kept} điểm, đã loại bỏ {dropped} điểm",
        "{name}: {outcome}; {kept} points stay, {dropped} dropped",
    ),
    "keeping.freezes": Sentence("Đóng băng, chờ người xác nhận", "Frozen until acknowledged"),
    "keeping.obstacles": Sentence("Sẽ đóng băng vì", "Would freeze because of"),
    "keeping.refusal": Sentence("Lần này chưa loại bỏ", "Nothing goes this time"),
    "keeping.acknowledged": Sentence(
        "{name}: đã xác nhận {count} nguyên nhân đóng băng; lần sau loại bỏ tiếp theo quy tắc",
        "{name}: {count} causes acknowledged; the next time points are dropped by the rules again",
    ),
    "hold.added": Sentence(
        "đã đặt lệnh giữ lại {id} cho {scope}. Thôi giữ: opsd hold release {id} --reason ...",
        "hold {id} is set on {scope}. To end it: opsd hold release {id} --reason ...",
    ),
    "hold.released": Sentence("đã thôi giữ {id}", "hold {id} is released"),
    "hold.unkept": Sentence(
        "chưa ghi được vào kho; lần loại bỏ tới sẽ ghi:",
        "it could not be written into the repository yet; the next retention does:",
    ),
    "hold.none": Sentence("không có lệnh giữ lại nào", "there are no holds"),
    "hold.row": Sentence(
        "{id}  {scope}  từ {at}  {who}: {reason}", "{id}  {scope}  since {at}  {who}: {reason}"
    ),
    "hold.all": Sentence("mọi điểm", "all points"),
    "hold.unknown": Sentence(
        "không có lệnh giữ lại {id} đang có hiệu lực",
        "there is no hold {id} in force",
        "xem: opsd hold list",
        "see: opsd hold list",
    ),
    "label.retention": Sentence("Lưu giữ", "Retention"),
    "keeping.status": Sentence(
        "{kept} điểm đang giữ, {dropped} đã loại bỏ", "{kept} points kept, {dropped} dropped so far"
    ),
    "keeping.status_frozen": Sentence("ĐÓNG BĂNG từ {at}: {causes}", "FROZEN since {at}: {causes}"),
}

_LOCKS: dict[str, Sentence] = {
    "lock.alive": Sentence(
        "kho {repository}: khoá {id} của tiến trình đang sống {pid} ({owner}), đã {age}",
        "repository {repository}: lock {id} of the living process {pid} ({owner}), {age} old",
    ),
    "lock.foreign": Sentence(
        "kho {repository}: khoá {id} của máy khác ({owner}, tiến trình {pid}), đã {age}; khoá độc"
        " quyền: {exclusive}",
        "repository {repository}: lock {id} of another host ({owner}, process {pid}), {age} old;"
        " exclusive: {exclusive}",
        "hỏi người quản trị máy đó; nếu tiến trình đã chết, chạy `restic unlock` trên máy đó",
        "ask who runs that host; if the process is dead, run `restic unlock` there",
    ),
    "lock.unknown": Sentence(
        "kho {repository}: khoá {id} của tiến trình đã chết {pid} ({owner}), đã {age}, không phải"
        " của opsd",
        "repository {repository}: lock {id} of the dead process {pid} ({owner}), {age} old, which"
        " was none of opsd's",
        "nếu không ai chạy restic trên kho này, chạy `restic unlock` (không dùng --remove-all)",
        "if nobody runs restic on this repository, run `restic unlock` (never --remove-all)",
    ),
    "lock.dead": Sentence(
        "kho {repository}: khoá {id} của tiến trình đã chết {pid} ({owner}), đã {age}, chưa gỡ"
        " được: còn khoá khác không được phép gỡ cùng, hoặc hệ điều hành chưa dọn tiến trình đó"
        " (restic chờ 30 phút)",
        "repository {repository}: lock {id} of the dead process {pid} ({owner}), {age} old, stays:"
        " another lock that must not go would go with it, or the process is a zombie (restic then"
        " waits 30 minutes)",
        "giải quyết khoá kia trước (xem ghi nhận), hoặc chạy lại sau 30 phút",
        "settle the other lock first (see the notes), or run again after 30 minutes",
    ),
    "lock.unreadable": Sentence(
        "kho {repository}: tệp khoá {id} không đọc được",
        "repository {repository}: the lock file {id} cannot be read",
        "khi chắc chắn không máy nào đang dùng kho, xoá riêng tệp đó trong thư mục locks của kho;"
        " không dùng --remove-all",
        "once you are sure that no host uses the repository, remove that one file in its directory"
        " locks; never use --remove-all",
    ),
    "lock.prevents": Sentence(
        "kho {repository} có tệp khoá không đọc được: restic từ chối mọi việc",
        "the repository {repository} holds a lock file that cannot be read: restic refuses to work",
        "khi chắc chắn không máy nào đang dùng kho, xoá riêng tệp đó trong thư mục locks của kho;"
        " không dùng --remove-all",
        "once you are sure that no host uses the repository, remove that one file in its directory"
        " locks; never use --remove-all",
    ),
    "restic.odd_lock": Sentence(
        "không hiểu được khoá {id} mà restic cho xem", "restic shows the lock {id} in an odd form"
    ),
}

_AUDIT: dict[str, Sentence] = {
    "audit.whole": Sentence(
        "chuỗi kiểm toán nguyên vẹn: {count} dòng", "the audit chain is whole: {count} lines"
    ),
    "audit.altered": Sentence(
        "chuỗi kiểm toán: dòng {number} đã bị sửa", "the audit chain: line {number} was altered"
    ),
    "audit.removed": Sentence(
        "chuỗi kiểm toán: thiếu dòng {number}", "the audit chain: line {number} was removed"
    ),
    "audit.inserted": Sentence(
        "chuỗi kiểm toán: dòng {number} không nối với dòng trước nó: bị chèn, hoặc dòng trước bị"
        " thay",
        "the audit chain: line {number} does not follow the one before it: it was inserted, or the"
        " one before was exchanged",
    ),
    "audit.cut": Sentence(
        "chuỗi kiểm toán bị cắt: điểm khôi phục {point} ghi rằng khi đó đã có {count} dòng",
        "the audit chain was cut off: the recovery point {point} says it had {count} lines then",
        "nếu lịch sử vừa được dựng lại (`opsd store rebuild`) thì đó là lý do",
        "if the history was just rebuilt (`opsd store rebuild`), that is the reason",
    ),
    "audit.replaced": Sentence(
        "chuỗi kiểm toán: dòng {count} không phải dòng mà điểm khôi phục {point} đã ghi",
        "the audit chain: line {count} is not the one that the recovery point {point} noted",
    ),
    "audit.none": Sentence("chưa có dòng nào", "there are no lines"),
}

_HELP: dict[str, Sentence] = {
    "help.retention": Sentence(
        "điểm khôi phục nào được giữ, điểm nào bỏ và vì sao; loại bỏ",
        "which points stay, which go and why; drop them",
    ),
    "help.retention.action": Sentence(
        "plan: chỉ xem; run: loại bỏ; acknowledge: xác nhận để hết đóng băng",
        "plan: only look; run: drop; acknowledge: end a freeze",
    ),
    "help.hold": Sentence(
        "giữ lại điểm khôi phục (chứng cứ, yêu cầu pháp lý)", "hold points (evidence, legal demand)"
    ),
    "help.hold.action": Sentence(
        "add: đặt; list: liệt kê; release: thôi giữ", "add: set; list: show; release: end"
    ),
    "help.hold.subject": Sentence(
        "bộ sao lưu (add, list) hoặc mã lệnh giữ lại (release)",
        "the backup set (add, list) or the hold's id (release)",
    ),
    "help.hold.point": Sentence(
        "chỉ điểm này (mặc định: mọi điểm của bộ)", "only this point (default: all of the set)"
    ),
    "help.reason": Sentence("lý do, ghi vào lịch sử", "the reason; it is kept in the history"),
    "help.by": Sentence(
        "tên người quyết định, ghi cạnh tài khoản đã đăng nhập (mặc định: chỉ tài khoản đó)",
        "who decides, kept beside the account that logged in (default: that account alone)",
    ),
    "help.audit": Sentence(
        "chuỗi kiểm toán: ai đã quyết định gì; có bị sửa không",
        "the audit chain: who decided what; was it altered",
    ),
    "help.audit.action": Sentence(
        "list: liệt kê; verify: kiểm tra chuỗi, so với biên bản trong kho",
        "list: show; verify: check the chain, against the records in the repositories too",
    ),
    "help.metavar.name": Sentence("TÊN", "NAME"),
    "help.metavar.subject": Sentence("BỘ|MÃ", "SET|ID"),
}

TABLE: dict[str, Sentence] = {**_RETENTION, **_REPORTS, **_LOCKS, **_AUDIT, **_HELP}
