"""What playbooks say of backups and repositories."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "playbook.free": Sentence("còn trống {free}", "{free} free"),
    "playbook.set.unknown": Sentence(
        "cấu hình không có bộ sao lưu {name}", "the configuration has no backup set {name}"
    ),
    "playbook.backup_failed": Sentence("Sao lưu lỗi hoặc trễ", "Backup failed or overdue"),
    "playbook.backup_failed.running": Sentence(
        "lần chạy {run} đang làm việc với kho ấy: chờ nó xong",
        "the run {run} is at work on that repository: wait for it",
    ),
    "playbook.backup_failed.person": Sentence(
        "bộ {name}: chạy lại không giúp được ({reason}); cần người sửa nguyên nhân",
        "set {name}: trying again does not help ({reason}); a person mends the cause",
        "opsd status; opsd doctor",
        "opsd status; opsd doctor",
    ),
    "playbook.backup_failed.failed": Sentence(
        "bộ {name}: lần cuối lỗi vì {reason}, có thể đã qua",
        "set {name}: the last time failed for {reason}, which may be over",
    ),
    "playbook.backup_failed.overdue": Sentence(
        "bộ {name}: bản sao lưu đã chứng minh quá cũ ({reason})",
        "set {name}: what is proved is too old ({reason})",
    ),
    "playbook.backup_failed.back_up": Sentence("sao lưu bộ {name}", "back up the set {name}"),
    "playbook.backup_failed.prove": Sentence(
        "khôi phục thử để chứng minh bộ {name}", "prove the set {name} by restoring it"
    ),
    "playbook.stale_lock": Sentence("Khoá kho bị bỏ lại", "Stale lock"),
    "playbook.stale_lock.other": Sentence(
        "bộ {name}: không phải do khoá", "set {name}: no lock is the cause"
    ),
    "playbook.stale_lock.alive": Sentence(
        "khoá là của {names}: còn sống, hoặc ở máy khác nên không biết được; không gỡ",
        "the lock is that of {names}: alive, or of another host "
        "where nobody here can know; it stays",
        "hỏi người ấy; xem trên máy ấy tiến trình còn chạy không",
        "ask them; see on that host whether the process lives",
    ),
    "playbook.stale_lock.dead": Sentence(
        "kho {repository} có {count} khoá, mọi chủ khoá đều là tiến trình đã chết của máy này",
        "the repository {repository} has {count} locks, all of dead processes of this machine",
    ),
    "playbook.stale_lock.gone": Sentence(
        "kho {repository} không còn khoá nào ({count})",
        "no lock lies in {repository} now ({count})",
    ),
    "playbook.stale_lock.unlock": Sentence(
        "gỡ các khoá ấy khỏi kho {repository}", "remove those locks from {repository}"
    ),
    "lock.somebodys": Sentence(
        "kho {repository}: có khoá của {owner}, không gỡ khoá nào",
        "repository {repository}: a lock is that of {owner}, none is removed",
    ),
    "playbook.repository_full": Sentence("Kho sao lưu đầy", "Repository full"),
    "playbook.repository_full.other": Sentence(
        "không có kho sao lưu nào bị đầy", "no repository is full"
    ),
    "playbook.repository_full.drop": Sentence(
        "nơi chứa kho đã đầy; có điểm khôi phục không quy tắc nào giữ ở {names}",
        "the repository's disk is full; no rule keeps some points of {names}",
    ),
    "playbook.repository_full.nothing": Sentence(
        "nơi chứa kho đã đầy, và không bỏ được điểm nào của {names}",
        "the repository's disk is full, and no point of {names} may go",
        "thêm đĩa; đừng xoá gì trong kho bằng tay",
        "add room; remove nothing in the repository by hand",
    ),
    "playbook.repository_full.against": Sentence(
        "bộ {name}: không được bỏ gì: {reason}", "set {name}: nothing may be dropped: {reason}"
    ),
    "playbook.repository_full.retain": Sentence(
        "bỏ các điểm không quy tắc nào giữ của bộ {name}, trả lại chỗ",
        "drop what no rule keeps of the set {name}, give its space back",
    ),
    "playbook.repository_damaged": Sentence("Kho sao lưu hỏng", "Repository damaged"),
    "playbook.repository_damaged.other": Sentence(
        "bộ {name}: không phải do kho hỏng", "set {name}: the repository is not damaged"
    ),
    "playbook.repository_damaged.found": Sentence(
        "kho {repository} không còn đúng như đã ghi: ngừng bỏ điểm khôi phục, sửa theo thứ tự",
        "what {repository} holds is not what was written: nothing is dropped, repair goes in order",
        "ổ đĩa có lỗi thì sao cả kho sang ổ khác trước khi đồng ý",
        "if its disk is failing, copy the whole repository elsewhere before you agree",
    ),
    "repair.not_seen": Sentence(
        "opsd không thấy được từng tệp của kho {repository}: người "
        "sửa theo docs/runbooks/repository-damaged.md",
        "opsd cannot see the objects of {repository}: a person "
        "repairs by docs/runbooks/repository-damaged.md",
    ),
    "playbook.mass_change": Sentence("Thay đổi hàng loạt, nghi mã độc", "Mass change"),
    "playbook.mass_change.calm": Sentence(
        "bộ {name}: dữ liệu như đang bị phá hoại; điểm đã chứng minh gần nhất trước đó là {point}",
        "set {name}: as if somebody destroyed it; the newest proved point before that is {point}",
        "coi là sự cố an ninh mạng cho tới khi biết rõ; ghi T0",
        "take it for an attack until it is known better; note T0",
    ),
    "playbook.mass_change.no_calm": Sentence(
        "bộ {name}: dữ liệu như đang bị phá hoại, và trước đó không có điểm nào đã chứng minh"
        " ({point})",
        "set {name}: as if somebody destroyed it, and no point from before it is proved ({point})",
    ),
    "playbook.mass_change.isolate": Sentence(
        "nếu đúng là mã độc: cô lập máy, hai người đồng ý",
        "if it is an attack: isolate the host, two persons",
        'opsd playbook run isolate_host --host MÁY --reason "..."',
        'opsd playbook run isolate_host --host HOST --reason "..."',
    ),
    "playbook.mass_change.freeze": Sentence(
        "không bỏ điểm khôi phục nào của mọi bộ nữa", "drop no point of any set any more"
    ),
    "playbook.mass_change.hold": Sentence("giữ điểm {point}", "put the point {point} on hold"),
    "playbook.mass_change.evidence": Sentence(
        "ghi lại chứng cứ trên {host}: {what}", "keep evidence of {host}: {what}"
    ),
    "playbook.restore_member": Sentence("Khôi phục một phần", "Restore one member"),
    "playbook.restore_member.none": Sentence(
        "bộ {name}, phần {member}: không có đúng một điểm khớp {point}; ghi --subject BỘ/PHẦN@ĐIỂM",
        "set {name}, member {member}: not exactly one point fits "
        "{point}; say --subject SET/MEMBER@POINT",
        "opsd points",
        "opsd points",
    ),
    "playbook.restore_member.proved": Sentence(
        "{member} lấy từ điểm {point} đã chứng minh, vào thư mục mới {target}; không ghi đè gì",
        "{member} comes from the proved point {point} into the new "
        "directory {target}; nothing is overwritten",
    ),
    "playbook.restore_member.not_proved": Sentence(
        "{member} lấy từ điểm {point} CHƯA chứng minh, vào thư mục mới {target}; không ghi đè gì",
        "{member} comes from the point {point}, NOT proved, into the "
        "new directory {target}; nothing is overwritten",
    ),
    "playbook.restore_member.restore": Sentence(
        "khôi phục {member} của điểm {point} vào {target}, đối chiếu với bản kê",
        "restore {member} of {point} into {target}, compared with its manifest",
    ),
}
