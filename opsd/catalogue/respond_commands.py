"""What commands about the answering of incidents say, and the labels of their answers."""

from opsd.catalogue.language import Sentence

_LABELS: dict[str, Sentence] = {
    "consent.auto": Sentence("tự động", "automatic"),
    "consent.required": Sentence("cần một người đồng ý", "one person agrees"),
    "consent.two_person": Sentence("cần hai người đồng ý", "two persons agree"),
    "respond.every_host": Sentence("mọi máy trong cấu hình", "every host of the configuration"),
    "respond.limits": Sentence(
        "{hosts} máy một lúc; nghỉ {cooldown}; {per_host} lần mỗi máy và {in_total} lần tổng cộng"
        " trong {within}",
        "{hosts} hosts at once; rest {cooldown}; {per_host} times a host and {in_total} in total"
        " within {within}",
    ),
    "respond.limit": Sentence("{count} lần trong {within}", "{count} times within {within}"),
    "respond.against": Sentence("Không làm, vì:", "Not done, because:"),
    "respond.digest": Sentence("Mã của kế hoạch: {digest}", "Digest of the plan: {digest}"),
    "respond.no_undo": Sentence("không", "none"),
    "respond.open": Sentence("chưa xong", "not ended"),
    "respond.holds": Sentence("đúng", "holds"),
    "respond.holds_not": Sentence("KHÔNG đúng", "does NOT hold"),
    "respond.silent": Sentence("không trả lời", "no answer"),
    "respond.label.answers": Sentence("Trả lời", "Answers"),
    "respond.label.touches": Sentence("Được đụng tới", "May touch"),
    "respond.label.never": Sentence("Không bao giờ", "Never"),
    "respond.label.consent": Sentence("Ai đồng ý", "Who agrees"),
    "respond.label.expires": Sentence("Chờ đồng ý", "Waits for it"),
    "respond.label.limits": Sentence("Giới hạn", "Limits"),
    "respond.label.breaker": Sentence("Ngắt cầu dao sau", "Breaker after"),
    "respond.label.privileges": Sentence("Lệnh quyền root", "As root"),
    "respond.label.runs": Sentence("chạy", "runs"),
    "respond.label.requires": Sentence("điều kiện", "requires"),
    "respond.label.now": Sentence("hiện giờ", "now"),
    "respond.label.done": Sentence("xong khi", "done when"),
    "respond.label.undo": Sentence("hoàn tác", "undo"),
    "respond.label.deadline": Sentence("thời hạn", "deadline"),
    "fate.done": Sentence("đã làm", "done"),
    "fate.failed": Sentence("không thành", "failed"),
    "fate.undone": Sentence("đã hoàn tác", "undone"),
    "fate.unknown": Sentence("KHÔNG RÕ", "UNKNOWN"),
    "ending.mended": Sentence("đã xử lý", "mended"),
    "ending.not_mended": Sentence("chưa hết lỗi", "not mended"),
    "ending.failed": Sentence("không thành", "failed"),
    "ending.precondition": Sentence("điều kiện không còn", "precondition gone"),
    "ending.unknown": Sentence("KHÔNG RÕ", "UNKNOWN"),
    "ending.stopped": Sentence("đã dừng", "stopped"),
    "ending.denied": Sentence("bị từ chối", "denied"),
    "ending.expired": Sentence("quá hạn", "expired"),
    "ending.changed": Sentence("kế hoạch đã khác", "plan changed"),
    "ending.over": Sentence("sự cố đã hết", "incident over"),
}

_COMMANDS: dict[str, Sentence] = {
    "help.playbook": Sentence(
        "kịch bản xử lý sự cố: danh sách, kế hoạch, chạy tay",
        "what answers incidents: list them, see a plan, run one by hand",
    ),
    "help.playbook.action": Sentence(
        "list: liệt kê; show: xem điều khoản; plan: xem sẽ làm gì; run: chạy; lint: kiểm tra các"
        " tệp kịch bản riêng",
        "list: show all; show: the terms of one; plan: what it would do; run: do it; lint: check"
        " the files of the site's own",
    ),
    "help.playbook.name": Sentence("kịch bản nào", "which playbook"),
    "help.playbook.incident": Sentence("mã sự cố cần xử lý", "the code of the incident to answer"),
    "help.playbook.check": Sentence("phép kiểm tra đã báo", "the check that raised it"),
    "help.playbook.subject": Sentence("đối tượng, như điểm gắn", "of what, such as a mount point"),
    "help.playbook.cause": Sentence("nguyên nhân, một từ", "the cause, one word"),
    "help.metavar.playbook": Sentence("KỊCH_BẢN", "PLAYBOOK"),
    "help.approve": Sentence("đồng ý hay từ chối một kế hoạch", "say yes or no to a plan"),
    "help.approve.id": Sentence(
        "mã lần xử lý, hoặc mã sự cố", "the response, or the incident it answers"
    ),
    "help.approve.deny": Sentence("từ chối", "say no"),
    "help.approve.show": Sentence("chỉ xem kế hoạch", "only show the plan"),
    "help.automation": Sentence("bật hay tắt việc tự xử lý", "switch automation on or off"),
    "help.automation.action": Sentence(
        "on: bật; off: tắt; status: xem; reset: đóng lại cầu dao",
        "on, off; status: how it stands; reset: close a breaker",
    ),
    "help.automation.name": Sentence(
        "chỉ một kịch bản (mặc định: tất cả)", "one playbook alone (all, by default)"
    ),
    "help.explain": Sentence(
        "vì sao kịch bản đã chạy hoặc không", "why a playbook ran, or did not"
    ),
    "help.explain.name": Sentence("mã sự cố, hoặc tên cảnh báo", "an incident, or an alert's name"),
    "help.metavar.incident": Sentence("SỰ_CỐ", "INCIDENT"),
    "help.metavar.step": Sentence("BƯỚC", "STEP"),
    "help.resume.was-done": Sentence(
        "resume: bước không rõ kết quả: tôi đã xem, nó đã làm xong",
        "resume: a step whose outcome is unknown: I looked, it was done",
    ),
    "help.resume.again": Sentence(
        "resume: bước không rõ kết quả: tôi đã xem, hãy làm lại",
        "resume: a step whose outcome is unknown: I looked, do it again",
    ),
    "help.host": Sentence(
        "các máy: thử kết nối, làm quen, sudo", "hosts: try them, meet them, what sudo needs"
    ),
    "help.host.action": Sentence(
        "list: liệt kê; test: thử chạy lệnh; sudoers: in dòng cho sudo; enroll: ghi khoá máy chủ",
        "list: show them; test: try a command; sudoers: print what sudo must allow; enroll: keep"
        " the host key",
    ),
    "help.host.name": Sentence("máy nào (mặc định: tất cả)", "which host (all, by default)"),
    "help.host.fingerprint": Sentence(
        "dấu vân tay của khoá máy chủ mà bạn đã so trên chính máy đó",
        "fingerprint of the host key that you compared on the host itself",
    ),
    "host.row": Sentence("{name}  {place}  kịch bản: {playbooks}", "{name}  {place}  {playbooks}"),
    "host.none": Sentence("cấu hình không có máy nào", "the configuration has no hosts"),
    "host.answers": Sentence(
        "{name}: chạy lệnh được, {milliseconds} ms", "{name}: runs commands, {milliseconds} ms"
    ),
    "host.no_sudo": Sentence(
        "sudo chưa cho phép (xem opsd host sudoers {name})",
        "sudo does not allow it yet (opsd host sudoers {name})",
    ),
    "host.is_here": Sentence("{name} là chính máy này", "{name} is this machine itself"),
    "host.compare": Sentence(
        "{name} ({address}) trình các khoá sau. So tại màn hình của chính máy đó"
        " (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), rồi gọi lại với --fingerprint:",
        "{name} ({address}) shows these keys. Compare at the console of the host itself"
        " (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then call again with --fingerprint:",
    ),
    "host.enrolled": Sentence(
        "đã ghi khoá của {name} vào {path}", "the key of {name} is written to {path}"
    ),
    "host.shows_no_key": Sentence(
        "{host} không trình khoá nào: không tới được, hoặc không phải SSH",
        "{host} shows no key: it is not reached, or no SSH server",
    ),
    "host.other_key": Sentence(
        "{host} không trình khoá {fingerprint}, mà là {shown}: KHÔNG ghi gì",
        "{host} does not show the key {fingerprint} but {shown}: NOTHING is written",
        "có thể ai đó đứng giữa: hỏi người quản trị mạng",
        "somebody may stand between: ask who runs the network",
    ),
    "host.known_already": Sentence(
        "{path} đã có khoá của {host}; nếu máy cài lại, hãy tự xoá dòng cũ",
        "{path} has a key of {host} already; if it was installed anew, remove that line yourself",
    ),
    "explain.incident": Sentence("Sự cố", "Incident"),
    "explain.said": Sentence("Báo", "Said"),
    "explain.since": Sentence("Thời gian", "When"),
    "explain.playbook": Sentence("Kịch bản", "Playbook"),
    "explain.no_playbook": Sentence("không kịch bản nào trả lời", "none answers this"),
    "explain.decided": Sentence("Đã quyết định", "Decided"),
    "explain.did": Sentence("Đã làm", "Done"),
    "explain.paged": Sentence("Đã gọi người", "People were called"),
    "explain.yes": Sentence("{who} đồng ý lúc {at}: {reason}", "{who} agreed at {at}: {reason}"),
    "explain.no": Sentence("{who} từ chối lúc {at}: {reason}", "{who} said no at {at}: {reason}"),
    "verdict.none": Sentence("không có kịch bản", "no playbook"),
    "verdict.waiting": Sentence("chờ", "waits"),
    "verdict.proposed": Sentence("xin phép", "asks for approval"),
    "verdict.started": Sentence("bắt đầu", "started"),
    "verdict.handed_over": Sentence("giao cho người", "handed over to a person"),
    "resume.not_ended": Sentence(
        "{id} chưa kết thúc: đang chạy, hoặc opsd chưa xem lại sau khi bị ngắt",
        "{id} has not ended: it runs, or opsd has not yet settled it after a crash",
    ),
    "resume.twice": Sentence("{id} đã được tiếp tục rồi", "{id} was resumed already"),
    "resume.say": Sentence(
        "{id}: không rõ kết quả của {steps}",
        "{id}: nobody knows what became of {steps}",
        "xem trên máy, rồi nói --was-done BƯỚC hoặc --again BƯỚC",
        "look on the host, then say --was-done STEP or --again STEP",
    ),
    "resume.said": Sentence("{who} đã xem: {reason}", "{who} looked: {reason}"),
    "resume.nothing_left": Sentence("{name}: không còn bước nào", "{name}: no step is left"),
    "usage.no_incident_ever": Sentence("không có sự cố {name}", "there is no incident {name}"),
    "playbook.lint": Sentence(
        "{good} kịch bản đúng, {bad} tệp có lỗi", "{good} playbooks are right, {bad} files are not"
    ),
    "usage.no_playbook_files": Sentence(
        "cấu hình không nói kịch bản riêng nằm ở đâu (automation.playbooks)",
        "the configuration does not say where the site's own playbooks lie (automation.playbooks)",
    ),
    "playbook.site.found": Sentence("{host}: {title}", "on {host}: {title}"),
    "playbook.site.step": Sentence("làm: {purpose}", "{purpose}"),
    "playbook.site.not_as_expected": Sentence(
        "{title}: {look} không như kịch bản mong đợi, không làm gì",
        "{title}: {look} is not as the playbook expects, nothing is done",
    ),
    "playbook.site.odd_word": Sentence(
        "{title}: {word} sẽ thành tuỳ chọn của lệnh, không làm gì",
        "{title}: {word} would become an option of a command, nothing is done",
    ),
    "config.undo": Sentence(
        "phải là lệnh hoàn lại, hoặc chữ none: {found}",
        "must be the command that takes it back, or the word none: {found}",
    ),
    "config.step_name": Sentence(
        "tên không hợp lệ: {found}; chỉ dùng a-z, số và _, bắt đầu bằng chữ",
        "not a name: {found}; use a-z, digits and _, a letter first",
    ),
    "config.regex": Sentence(
        "không phải biểu thức chính quy: {found}", "not a regular expression: {found}"
    ),
    "config.blank": Sentence(
        "không có chỗ trống {found}; có: {choices}",
        "there is no blank {found}; there are: {choices}",
    ),
    "config.blank_in_script": Sentence(
        "chỗ trống {found} không được nằm trong tên lệnh hay trong đoạn lệnh của shell: "
        "đưa nó thành một tham số riêng",
        "the blank {found} must not stand in the name of a command or in a script: "
        "make it an argument of its own",
    ),
    "config.no_done": Sentence(
        "bước thay đổi phải nói làm sao biết là đã xong (done)",
        "a step that changes something must say how one sees that it was done (done)",
    ),
    "config.answers_nothing": Sentence(
        "kịch bản phải trả lời ít nhất một phép kiểm tra hoặc cảnh báo",
        "a playbook must answer one check or alert at least",
    ),
    "playbook.asked": Sentence(
        "đã ghi {id}; chờ thêm người đồng ý tới {expires}: opsd approve {id}",
        "recorded as {id}; waits until {expires} for somebody else: opsd approve {id}",
    ),
    "approve.done": Sentence(
        "{who} đồng ý {name} ({id}); đủ người, opsd bắt đầu",
        "{who} agrees to {name} ({id}); that is enough, opsd begins",
    ),
    "approve.one_more": Sentence(
        "{who} đồng ý {name} ({id}); cần thêm một người khác",
        "{who} agrees to {name} ({id}); somebody else must too",
    ),
    "approve.denied": Sentence("{who} từ chối {name} ({id})", "{who} denies {name} ({id})"),
    "approve.not_you": Sentence(
        "{who} không có trong danh sách được đồng ý ({known})",
        "{who} is not among those whose word counts ({known})",
    ),
    "approve.too_late": Sentence("{id} đã bắt đầu hoặc đã xong", "{id} has begun or ended already"),
    "approve.expired": Sentence("{id} đã quá hạn lúc {at}", "{id} expired at {at}"),
    "approve.twice": Sentence(
        "{who} đã trả lời {id} lúc {at}", "{who} has answered {id} already, at {at}"
    ),
    "automation.on": Sentence("tự xử lý: bật", "automation is on"),
    "automation.off": Sentence("tự xử lý: TẮT", "automation is OFF"),
    "automation.on_one": Sentence("kịch bản {name}: bật", "the playbook {name} is on"),
    "automation.off_one": Sentence("kịch bản {name}: TẮT", "the playbook {name} is OFF"),
    "automation.by": Sentence("{who}, lúc {at}: {reason}", "{who}, at {at}: {reason}"),
    "automation.enabled": Sentence(
        "cấu hình: bật tự xử lý", "the configuration enables automation"
    ),
    "automation.not_enabled": Sentence(
        "cấu hình: chưa bật tự xử lý (automation.enabled)",
        "automation is not configured (automation.enabled)",
    ),
    "automation.breaker": Sentence(
        "cầu dao của {name} trên {target} ngắt từ {at}",
        "the breaker of {name} on {target} is open since {at}",
    ),
    "automation.reset": Sentence(
        "đã đóng lại {count} cầu dao của {name}", "{count} breakers of {name} are closed"
    ),
    "usage.no_response": Sentence("không có lần xử lý {name}", "there is no response {name}"),
    "usage.no_playbook": Sentence(
        "không có kịch bản {name}; có: {known}", "there is no playbook {name}; there are: {known}"
    ),
    "usage.no_open_incident": Sentence(
        "không có sự cố {name} đang mở", "there is no open incident {name}"
    ),
    "usage.no_breaker": Sentence(
        "cầu dao của {name} trên {target} không ngắt", "no breaker of {name} on {target} is open"
    ),
}

TABLE: dict[str, Sentence] = {**_LABELS, **_COMMANDS}
