"""Sentences about answering incidents: playbooks, guards, plans, responses."""

from opsd.catalogue.language import Sentence

_GUARDS: dict[str, Sentence] = {
    "guard.inventory": Sentence(
        "máy {target} không có trong hosts của cấu hình: không đụng tới",
        "the host {target} is not in `hosts` of the configuration: it is not touched",
    ),
    "guard.not_allowed": Sentence(
        "kịch bản {name} không được phép đụng tới máy {target}",
        "the playbook {name} may not touch the host {target}",
        "xem `hosts` và `never` của kịch bản trong cấu hình",
        "see `hosts` and `never` of the playbook in the configuration",
    ),
    "guard.blast_radius": Sentence(
        "kế hoạch đụng tới {count} máy một lúc, giới hạn là {limit}",
        "the plan touches {count} hosts at once, the limit is {limit}",
    ),
    "guard.busy": Sentence(
        "máy {target}: lần xử lý {id} đang làm trên {other}",
        "host {target}: the response {id} is at work on {other}",
    ),
    "guard.duplicate": Sentence(
        "{target}: lần xử lý {id} cùng kịch bản đang chờ",
        "{target}: the response {id} of the same playbook waits already",
    ),
    "guard.unresolved": Sentence(
        "{target}: lần xử lý {id} dừng giữa chừng, chưa ai nói kết quả ra sao",
        "{target}: the response {id} was cut off, and nobody has said yet what became of it",
        "opsd incident resume {id} --was-done BƯỚC, hoặc --again BƯỚC",
        "opsd incident resume {id} --was-done STEP, or --again STEP",
    ),
    "guard.hosts_at_once": Sentence(
        "đang thay đổi trên {count} máy, giới hạn là {limit}",
        "{count} hosts are being changed, the limit is {limit}",
    ),
    "guard.one_at_a_time": Sentence(
        "{targets} thuộc một nhóm chỉ được thay đổi từng máy một",
        "{targets} belong to a group of which one at a time is changed",
    ),
    "guard.not_enabled": Sentence(
        "cấu hình không bật tự động hoá (automation.enabled)",
        "the configuration does not enable automation (automation.enabled)",
    ),
    "guard.playbook_not_enabled": Sentence(
        "cấu hình tắt kịch bản {name}", "the configuration disables the playbook {name}"
    ),
    "guard.off": Sentence(
        "{who} đã tắt tự động hoá lúc {at}: {reason}",
        "{who} switched automation off at {at}: {reason}",
        "opsd automation on",
        "opsd automation on",
    ),
    "guard.playbook_off": Sentence(
        "{who} đã tắt kịch bản {name} lúc {at}: {reason}",
        "{who} switched the playbook {name} off at {at}: {reason}",
        "opsd automation on {name}",
        "opsd automation on {name}",
    ),
    "guard.blackout": Sentence(
        "đang trong khung giờ cấm tự thay đổi: {reason}",
        "a blackout goes on, nothing is changed automatically: {reason}",
    ),
    "guard.maintenance": Sentence(
        "đang bảo trì: sự cố đã được báo trước", "maintenance goes on: the fault is expected"
    ),
    "guard.cooldown": Sentence(
        "{target}: vừa xử lý (lần {id}), nghỉ thêm {left}",
        "{target}: it was just done (response {id}), it rests for another {left}",
    ),
    "guard.quota_host": Sentence(
        "{target}: đã {count} lần trong {within}, giới hạn {limit}",
        "{target}: {count} times within {within}, the limit is {limit}",
    ),
    "guard.quota_total": Sentence(
        "đã {count} lần trong {within} trên mọi máy, giới hạn {limit}",
        "{count} times within {within} on all hosts, the limit is {limit}",
    ),
    "guard.breaker_open": Sentence(
        "{target}: cầu dao của {name} đã ngắt, nguyên nhân chưa được giải quyết",
        "{target}: the breaker of {name} is open, the cause is not mended",
        'opsd automation reset {name} --host {target} --reason "..."',
        'opsd automation reset {name} --host {target} --reason "..."',
    ),
}

_PLANS: dict[str, Sentence] = {
    "plan.step_id": Sentence(
        "bước {step}: mã bước không hợp lệ hoặc trùng", "step {step}: a wrong id, or one used twice"
    ),
    "plan.argv_or_action": Sentence(
        "bước {step}: cần một lệnh, hoặc một việc của opsd, không phải cả hai",
        "step {step}: needs a command or an action of opsd, not both",
    ),
    "plan.no_host": Sentence(
        "bước {step}: lệnh không có máy", "step {step}: a command without host"
    ),
    "plan.no_action": Sentence(
        "bước {step}: opsd không có việc {action} với tác động như vậy",
        "step {step}: opsd has no action {action} of that effect",
    ),
    "plan.no_done": Sentence(
        "bước {step}: có thay đổi nhưng không nói làm sao thấy là đã xong",
        "step {step}: a change that does not say how one sees that it was done",
    ),
    "plan.timeout": Sentence("bước {step}: thời hạn không hợp lệ", "step {step}: a wrong deadline"),
    "plan.not_privileged": Sentence(
        "bước {step}: {command} không nằm trong các lệnh được chạy với quyền root",
        "step {step}: {command} is not among the commands that may be run as root",
    ),
    "plan.bad_word": Sentence(
        "bước {step}: có từ rỗng hoặc chứa ký tự NUL",
        "step {step}: an empty command, or a word with a NUL",
    ),
    "plan.too_long": Sentence(
        "bước {step}: lệnh dài hơn nhân hệ điều hành cho phép",
        "step {step}: a command longer than the kernel takes",
    ),
    "plan.freeze_first": Sentence(
        "kịch bản này phải đóng băng việc loại bỏ bản cũ trước khi thay đổi gì khác",
        "this playbook must freeze retention before it changes anything else",
    ),
}

_RESPONSES: dict[str, Sentence] = {
    "respond.playbook_failed": Sentence(
        "kịch bản {name} tự nó hỏng", "the playbook {name} failed itself"
    ),
    "respond.no_steps": Sentence(
        "kịch bản {name} không tự xử lý được", "the playbook {name} cannot mend it"
    ),
    "respond.asks": Sentence(
        "kịch bản {name} xin phép xử lý ({id}), cần {persons} người đồng ý trước {expires}",
        "the playbook {name} asks for approval ({id}): {persons} to agree before {expires}",
        "xem: opsd approve {id} --show; đồng ý: opsd approve {id}",
        "see: opsd approve {id} --show; agree: opsd approve {id}",
    ),
    "respond.breaker": Sentence(
        "{target}: lại cần {name} quá nhiều lần; cầu dao đã ngắt, cần tìm nguyên nhân",
        "{target}: {name} is needed again and again; its breaker is open: find the cause",
        'tìm xong nguyên nhân: opsd automation reset {name} --host {target} --reason "..."',
        'when the cause is found: opsd automation reset {name} --host {target} --reason "..."',
    ),
    "respond.mended": Sentence(
        "{name} ({id}): đã xử lý xong, phép kiểm tra xác nhận",
        "{name} ({id}): mended, the check confirms it",
    ),
    "respond.not_mended": Sentence(
        "{name} ({id}): đã làm hết các bước nhưng phép kiểm tra vẫn báo lỗi: cần người xử lý",
        "{name} ({id}): all was done and the check is still bad: a person must take over",
    ),
    "respond.failed": Sentence(
        "{name} ({id}): bước {step} không thành: cần người xử lý",
        "{name} ({id}): the step {step} failed: a person must take over",
    ),
    "respond.precondition": Sentence(
        "{name} ({id}): trước bước {step} điều kiện không còn đúng: đã dừng",
        "{name} ({id}): before the step {step} its precondition did not hold any more: stopped",
    ),
    "respond.unknown": Sentence(
        "{name} ({id}): không rõ bước {step} đã làm hay chưa: cần người xem",
        "{name} ({id}): nobody knows whether the step {step} was done: a person must look",
        "xem trên máy, rồi: opsd incident resume {id} --was-done {step}, hoặc --again {step}",
        "look on the host, then: opsd incident resume {id} --was-done {step}, or --again {step}",
    ),
    "respond.stopped": Sentence(
        "{name} ({id}): dừng trước bước {step}", "{name} ({id}): stopped before the step {step}"
    ),
    "respond.denied": Sentence("{name} ({id}): bị từ chối", "{name} ({id}): denied"),
    "respond.expired": Sentence(
        "{name} ({id}): quá hạn mà chưa đủ người đồng ý: không làm",
        "{name} ({id}): nobody, or too few, agreed in time: nothing is done",
    ),
    "respond.changed": Sentence(
        "{name} ({id}): kế hoạch nay đã khác kế hoạch được đồng ý: không làm",
        "{name} ({id}): the plan is not the one any more that was agreed to: nothing is done",
    ),
    "respond.over": Sentence(
        "{name} ({id}): sự cố đã hết trước khi làm gì",
        "{name} ({id}): the incident was over before anything was done",
    ),
    "retention.suspicion": Sentence(
        "một kịch bản nghi dữ liệu đang bị phá hoại: {about}",
        "a playbook suspects that data is being destroyed: {about}",
    ),
    "cause.suspicion": Sentence("nghi phá hoại dữ liệu", "suspicion"),
}

TABLE: dict[str, Sentence] = {**_GUARDS, **_PLANS, **_RESPONSES}
