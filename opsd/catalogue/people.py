"""Sentences about people: who is on duty, what they are told, the record of incidents."""

from opsd.catalogue.language import Sentence

_CONFIG: dict[str, Sentence] = {
    "config.date": Sentence(
        "ngày phải viết như 2026-12-31, không phải {found}",
        "a day is written like 2026-12-31, not {found}",
    ),
    "config.weekday": Sentence(
        "ngày trong tuần là mon, tue, wed, thu, fri, sat, sun, không phải {found}",
        "a day of the week is mon, tue, wed, thu, fri, sat or sun, not {found}",
    ),
    "config.secret_in_clear": Sentence(
        "mật khẩu hoặc mã sẽ đi qua mạng không mã hoá; dùng starttls, tls hoặc https",
        "the password or token would cross the network in the clear; use starttls, tls or https",
    ),
    "config.one_channel": Sentence(
        "{name} chỉ có một kênh; kênh đó hỏng thì không ai gọi được: thêm kênh thứ hai",
        "{name} is reached by one channel alone; when it is down nobody is: add a second one",
    ),
}

_NOTICES: dict[str, Sentence] = {
    "notify.mail": Sentence("máy chủ thư {host} không nhận thư", "{host} did not take the mail"),
    "notify.post": Sentence("{host} không nhận tin", "{host} did not take the message"),
    "notify.program": Sentence("{program} không gửi được", "{program} could not send"),
    "notice.opened": Sentence(
        "Sự cố {code}: {about}, từ {since}", "Incident {code}: {about}, since {since}"
    ),
    "notice.unowned": Sentence(
        "Sự cố {code}: {about}, đã {age} chưa ai nhận", "Incident {code}: {about}, nobody for {age}"
    ),
    "notice.many": Sentence(
        "{count} sự cố cùng lúc: {first} đến {last}, sớm nhất cách đây {age}",
        "{count} incidents at once: {first} to {last}, the oldest {age} ago",
    ),
    "notice.many_unowned": Sentence(
        "{count} sự cố chưa ai nhận: {first} đến {last}, lâu nhất {age}",
        "{count} incidents that nobody took on: {first} to {last}, for up to {age}",
    ),
    "notice.pages": Sentence(
        "{count} việc cần người quyết định, của các sự cố: {incidents}. Xem: opsd incident list",
        "{count} things need a person, of the incidents: {incidents}. See: opsd incident list",
    ),
    "notice.closed": Sentence(
        "Sự cố {code} đã hết: {about}, kéo dài {lasted}",
        "Incident {code} is over: {about}, after {lasted}",
    ),
    "notice.gap": Sentence(
        "Lịch trực trống từ {since} đến {until}", "Nobody is on duty from {since} to {until}"
    ),
    "notice.verify": Sentence(
        "Địa chỉ liên lạc của {name} đã hơn một năm chưa thử lại; thử rồi sửa `verified`",
        "Nobody tried the addresses of {name} for over a year; try them, then change `verified`",
    ),
    "notice.deadline": Sentence(
        "Sự cố {code}: còn {left} để báo {recipient} ({name}, hạn {due}; {source})",
        "Incident {code}: {left} left to tell {recipient} ({name}, due {due}; {source})",
    ),
    "notice.deadline_over": Sentence(
        "Sự cố {code}: ĐÃ ĐẾN HẠN báo {recipient} ({name}, hạn {due}; {source}); còn {left}",
        "Incident {code}: {recipient} MUST BE TOLD NOW ({name}, due {due}; {source}); {left} left",
    ),
    "notice.take_on": Sentence(
        "Nhận xử lý: opsd incident ack {code}\nXem: opsd incident show {code}",
        "To take it on: opsd incident ack {code}\nTo look: opsd incident show {code}",
    ),
    "notice.again": Sentence(
        "Tin này có thể đã tới một lần rồi: cùng mã số thì là cùng một tin.",
        "This may have arrived before: the same number is the same message.",
    ),
    "notice.id": Sentence("opsd trên {host}, tin {id}, {at}", "opsd on {host}, message {id}, {at}"),
}

_ONCALL: dict[str, Sentence] = {
    "help.oncall": Sentence(
        "ai trực bây giờ, ai trực tiếp theo, và khi nào không có ai",
        "who is on duty now, who comes next, and when nobody is",
    ),
    "help.oncall.for": Sentence("xem trước bao lâu (mặc định: 4w)", "how far ahead (default: 4w)"),
    "oncall.none": Sentence(
        "chưa có lịch trực (`oncall`): mọi địa chỉ trong `channels` đều được báo",
        "there is no rota (`oncall`): every address in `channels` is told",
    ),
    "oncall.row": Sentence(
        "{since} đến {until}: {main}, dự phòng {deputy}",
        "{since} to {until}: {main}, deputy {deputy}",
    ),
    "oncall.whole": Sentence("không có lúc nào trống", "there is no hole"),
    "oncall.hole": Sentence(
        "X không ai trực từ {since} đến {until}", "X nobody is on duty from {since} to {until}"
    ),
    "oncall.no_deputy": Sentence(
        "! không có dự phòng từ {since} đến {until}", "! no deputy from {since} to {until}"
    ),
}

_HELP: dict[str, Sentence] = {
    "help.metavar.day": Sentence("NGÀY", "DAY"),
    "help.incident": Sentence(
        "sự cố: xem, nhận xử lý, ghi chép, xếp loại, rút kinh nghiệm",
        "incidents: look, take on, note, classify, review",
    ),
    "help.incident.action": Sentence(
        "list: đang mở; show: một hồ sơ; ack: nhận xử lý; note: ghi thêm; classify: xếp loại; "
        "close: kết thúc; review: rút kinh nghiệm; resume: làm tiếp lần xử lý bị dở",
        "list: the open ones; show: one record; ack: take it on; note: add a line; classify: say "
        "what it is; close: end it; review: what was learnt; resume: go on with a response that "
        "was cut off",
    ),
    "help.incident.code": Sentence("mã sự cố", "code of the incident"),
    "help.incident.by": Sentence(
        "nói thay ai; tài khoản đã đăng nhập luôn được ghi lại",
        "for whom it is said; the account that logged in is recorded in any case",
    ),
    "help.incident.note": Sentence("nội dung, ghi vào hồ sơ", "what is said, kept in the record"),
    "help.incident.month": Sentence(
        "list: sự cố của tháng này, kèm thời gian nhận và thời gian xử lý trung bình",
        "list: those of a month, with the mean times to take on and to end",
    ),
    "help.incident.all": Sentence("list: cả tháng này", "list: all of this month"),
    "help.incident.given": Sentence(
        "note: đã gửi thông báo theo luật tên này", "note: this legal notice was given"
    ),
    "help.incident.cause": Sentence("review: nguyên nhân gốc", "review: the root cause"),
    "help.incident.todo": Sentence("review: việc phải làm", "review: something to be done"),
    "help.incident.owner": Sentence("review: ai làm", "review: who does it"),
    "help.incident.due": Sentence("review: hạn", "review: by when"),
    "help.incident.done": Sentence("review: việc đã làm xong", "review: what was done"),
    "help.incident.sort": Sentence(
        "classify: technical (kỹ thuật) hay security (an ninh mạng)",
        "classify: technical or security",
    ),
    "help.incident.grade": Sentence(
        "classify: ordinary, serious (nghiêm trọng), disruptive (gián đoạn nghiêm trọng)",
        "classify: ordinary, serious, disruptive",
    ),
    "help.incident.personal_data": Sentence(
        "classify: có chạm tới dữ liệu cá nhân", "classify: personal data are touched"
    ),
    "help.incident.draft": Sentence(
        "show: dạng dự thảo báo cáo; opsd không gửi đi đâu",
        "show: as a draft of a report; opsd sends it nowhere",
    ),
}

_RECORD: dict[str, Sentence] = {
    "incident.none": Sentence("không có sự cố nào đang mở", "no incident is open"),
    "incident.nobody": Sentence("chưa ai nhận", "nobody has it"),
    "incident.month": Sentence(
        "{opened} sự cố; {acknowledged} có người nhận, trung bình sau {to_acknowledge}; {ended} "
        "đã hết, trung bình sau {to_end}",
        "{opened} incidents; {acknowledged} taken on, after {to_acknowledge} in the mean; {ended} "
        "ended, after {to_end} in the mean",
    ),
    "incident.field_t0": Sentence("Phát hiện (T0)", "Detected (T0)"),
    "incident.field_source": Sentence("Nguồn", "Source"),
    "incident.field_said": Sentence("Nội dung", "What"),
    "incident.field_class": Sentence("Xếp loại", "Class"),
    "incident.field_owner": Sentence("Người nhận", "Owner"),
    "incident.field_closed": Sentence("Kết thúc", "Ended"),
    "incident.t0": Sentence("{at}", "{at}, to the minute"),
    "incident.source_alert": Sentence("cảnh báo của Alertmanager", "an alert of Alertmanager"),
    "incident.source_check": Sentence("phép kiểm tra của opsd", "a check of opsd"),
    "incident.sort.technical": Sentence("kỹ thuật", "technical"),
    "incident.sort.security": Sentence("an ninh mạng", "security"),
    "incident.grade.ordinary": Sentence("thường", "ordinary"),
    "incident.grade.serious": Sentence("nghiêm trọng", "serious"),
    "incident.grade.disruptive": Sentence("gây gián đoạn nghiêm trọng", "disruptive"),
    "incident.class": Sentence(
        "{sort}, {grade}; dữ liệu cá nhân: {data}; {who} quyết định",
        "{sort}, {grade}; personal data: {data}; {who} decided",
    ),
    "incident.unclassified": Sentence(
        "chưa ai xếp loại; opsd đề nghị: {grade}",
        "nobody has decided; opsd proposes: {grade}",
    ),
    "incident.deadlines": Sentence(
        "Thông báo theo luật (tính từ T0, kể cả đêm và ngày nghỉ):",
        "Legal notices (from T0 on, nights and holidays included):",
    ),
    "incident.deadline": Sentence(
        "{name}: hạn {due}, báo {recipient}; đã báo: {given} ({source})",
        "{name}: due {due}, to {recipient}; given: {given} ({source})",
    ),
    "incident.action": Sentence(
        "còn phải làm ({code}): {action}; {owner}, hạn {due}",
        "still to be done ({code}): {action}; {owner}, due {due}",
    ),
    "incident.unchecked": Sentence(
        "CHƯA đối chiếu với văn bản luật", "NOT compared with the text of the law yet"
    ),
    "incident.timeline": Sentence("Diễn biến:", "Timeline:"),
    "incident.opened": Sentence("mở sự cố", "opened"),
    "incident.ended": Sentence("hết sự cố", "ended"),
    "incident.fate.opened": Sentence("mở sự cố này", "opened it"),
    "incident.fate.joined": Sentence("cùng nguyên nhân", "the same cause"),
    "incident.fate.closed": Sentence("kết thúc sự cố", "ended it"),
    "incident.fate.kept": Sentence("ghi nhận", "kept"),
    "incident.draft_head": Sentence(
        "DỰ THẢO BÁO CÁO SỰ CỐ\nHệ thống: {system}; cấp độ: {level}; máy opsd: {host}",
        "DRAFT REPORT OF AN INCIDENT\nSystem: {system}; level: {level}; host of opsd: {host}",
    ),
    "incident.draft": Sentence(
        "Nguyên nhân, phạm vi, biện pháp, kiến nghị: người phụ trách điền, ký và gửi. opsd "
        "không gửi đi đâu.",
        "Cause, extent, measures, proposals: a person fills them in, signs and sends it. opsd "
        "sends it nowhere.",
    ),
    "incident.closed_already": Sentence(
        "sự cố {code} đã kết thúc lúc {at}", "incident {code} ended at {at}"
    ),
    "incident.check_ends_it": Sentence(
        "sự cố {code} hết khi phép kiểm tra {about} tốt trở lại, không phải do người nói",
        "incident {code} ends when the check {about} is good again, not when somebody says so",
        "để nhận xử lý: opsd incident ack {code}; khi bảo trì: opsd maintenance start",
        "to take it on: opsd incident ack {code}; during maintenance: opsd maintenance start",
    ),
    "usage.no_incident": Sentence(
        "không có sự cố {code}",
        "there is no incident {code}",
        "xem: opsd incident list",
        "see: opsd incident list",
    ),
    "usage.no_notice": Sentence(
        "không có thông báo {name}; có: {known}", "there is no notice {name}; there are: {known}"
    ),
}

TABLE: dict[str, Sentence] = {**_CONFIG, **_NOTICES, **_ONCALL, **_HELP, **_RECORD}
