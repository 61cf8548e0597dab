"""Whose fault it is, the evidence for it, and outages month by month."""

from opsd.catalogue.language import Sentence

_SIDES: dict[str, Sentence] = {
    "side.nobody": Sentence("không ai", "nobody"),
    "side.ours": Sentence("phía ta", "ours"),
    "side.theirs": Sentence("phía bạn", "theirs"),
    "side.road": Sentence("đường truyền", "the road"),
    "side.unclear": Sentence("chưa rõ", "unclear"),
}

_BECAUSE: dict[str, Sentence] = {
    "blame.nobody": Sentence("dịch vụ đang dùng được", "the service can be used"),
    "blame.blind": Sentence("máy của ta không dò được", "our own machine cannot make the probe"),
    "blame.needed": Sentence(
        "những thứ mà dịch vụ này cần đang hỏng: {names}", "what it depends on is out: {names}"
    ),
    "blame.links": Sentence("mọi đường truyền đều hỏng: {names}", "every link is out: {names}"),
    "blame.their_name": Sentence(
        "tên của bạn không tra được, trong khi tên khác vẫn tra được: {names}",
        "their name is not found, while others are: {names}",
    ),
    "blame.our_resolver": Sentence(
        "máy chủ DNS của ta không trả lời", "our name servers do not answer"
    ),
    "blame.name": Sentence(
        "tên không tra được, và không có tên nào khác để so",
        "the name is not found, and there is no other to compare with",
    ),
    "blame.refused": Sentence(
        "gói tin tới được máy bạn, máy bạn từ chối kết nối",
        "packets reach their machine, and it refuses the connection",
    ),
    "blame.others_reached": Sentence(
        "không tới được, trong khi nơi khác vẫn tới được: {names}",
        "it is not reached, while others are: {names}",
    ),
    "blame.none_reached": Sentence(
        "không tới được nơi nào bên ngoài: {names}", "nobody outside is reached: {names}"
    ),
    "blame.link_good": Sentence(
        "không tới được, trong khi đường truyền tốt: {names}",
        "it is not reached, while the link is good: {names}",
    ),
    "blame.alone": Sentence(
        "không tới được, và không có phép dò nào khác để so",
        "it is not reached, and there is no other probe to compare with",
    ),
    "blame.our_clock": Sentence(
        "nhiều nơi cùng báo sai hạn chứng thư ({names}): xem đồng hồ của ta",
        "several certificates are out of their time ({names}): look at our clock",
    ),
    "blame.our_trust": Sentence(
        "nhiều nơi cùng không tin được ({names}): xem danh sách nơi cấp chứng thư của ta",
        "several are not trusted ({names}): look at our list of authorities",
    ),
    "blame.device": Sentence(
        "nhiều nơi cùng bị cắt khi bắt tay TLS ({names}): có thiết bị chặn giữa đường",
        "several are cut during the TLS handshake ({names}): a device between does it",
    ),
    "blame.their_tls": Sentence(
        "kết nối được; lỗi ở TLS của máy bạn", "connected; the fault is in their TLS"
    ),
    "blame.refuses_us": Sentence(
        "máy bạn trả lời {status}: có thể quyền của ta đã hết",
        "they answer {status}: our right to ask may have ended",
    ),
    "blame.refused_login": Sentence(
        "máy bạn không cho đăng nhập: có thể tài khoản của ta đã đổi",
        "they refuse the login: our account may have changed",
    ),
    "blame.answered": Sentence(
        "máy bạn nhận kết nối nhưng trả lời sai hoặc không trả lời",
        "they take the connection, and answer wrongly or not at all",
    ),
    "blame.packets": Sentence("gói tin bị mất trên đường", "packets are lost on the way"),
}

_SHOWN: dict[str, Sentence] = {
    "probe.phase_good": Sentence("tốt", "good"),
    "probe.peer": Sentence("máy được hỏi", "peer"),
    "probe.local": Sentence("địa chỉ của ta", "our address"),
    "probe.code": Sentence("mã trả lời", "status code"),
    "probe.hops": Sentence("chuyển hướng tới", "redirected to"),
    "probe.answers": Sentence("câu trả lời", "answers"),
    "probe.server": Sentence("máy chủ tự xưng", "the server calls itself"),
    "probe.first_byte": Sentence("byte đầu tiên sau", "first byte after"),
    "probe.certificate_label": Sentence("chứng thư", "certificate"),
    "probe.certificate_is": Sentence(
        "{subject}, do {issuer} cấp, chuỗi {chain}, hết hạn {ends}, {protocol}",
        "{subject} by {issuer}, a chain of {chain}, ends {ends}, {protocol}",
    ),
    "probe.link_label": Sentence("đường truyền", "link"),
    "probe.evidence_written": Sentence(
        "đã ghi bằng chứng vào {path}", "the evidence is written to {path}"
    ),
    "evidence.title": Sentence("BẰNG CHỨNG DÒ DỊCH VỤ: {title}", "EVIDENCE OF A PROBE: {title}"),
    "evidence.asked": Sentence("đã hỏi", "asked"),
    "evidence.utc": Sentence("lúc (UTC)", "at (UTC)"),
    "evidence.local": Sentence("lúc (giờ địa phương)", "at (local time)"),
    "evidence.elapsed": Sentence("mất", "took"),
    "evidence.phases": Sentence("Từng bước:", "Each phase:"),
    "evidence.way": Sentence("Đường đi của gói tin:", "The way of the packets:"),
    "evidence.around": Sentence("Các phép dò khác cùng lúc:", "Other probes at the same time:"),
}

_OUTAGES: dict[str, Sentence] = {
    "outages.none": Sentence("chưa có phép dò nào trong cấu hình", "no probe is configured"),
    "outages.title": Sentence(
        "Tháng {month}, từ {since} đến {until}", "Month {month}, from {since} to {until}"
    ),
    "outages.available": Sentence("khả dụng", "available"),
    "outages.share": Sentence("{share}, mục tiêu {objective}", "{share}, objective {objective}"),
    "outages.unknown_share": Sentence(
        "không có dữ liệu, mục tiêu {objective}", "no data, objective {objective}"
    ),
    "outages.unplanned": Sentence("ngừng ngoài kế hoạch", "unplanned outage"),
    "outages.planned": Sentence("ngừng có kế hoạch", "planned outage"),
    "outages.unclear": Sentence("không rõ", "unknown"),
    "outages.blind": Sentence("không ai xem", "nobody looked"),
    "outages.budget": Sentence("ngân sách lỗi 30 ngày", "error budget of 30 days"),
    "outages.budget_left": Sentence(
        "đã dùng {spent} trong {allowed}, còn {left}", "{spent} of {allowed} spent, {left} left"
    ),
    "outages.burning": Sentence(
        "đang cháy nhanh gấp {rate} lần (cửa sổ {window})",
        "burning {rate} times too fast (over {window})",
    ),
    "outages.outage": Sentence(
        "{began} – {ended}: {span}, {cause}", "{began} to {ended}: {span}, {cause}"
    ),
    "outages.part_planned": Sentence("có kế hoạch: {planned}", "planned: {planned}"),
}

_COMMANDS: dict[str, Sentence] = {
    "help.probe": Sentence(
        "hỏi ngay một dịch vụ, từng lớp một; mã kết thúc 0 đến 3 như Nagios",
        "ask one service now, layer by layer; exit codes 0 to 3 as Nagios has them",
    ),
    "help.probe_name": Sentence(
        "phép dò (trong probes); thêm --debug để xem từng bước",
        "the probe (of probes); --debug shows each phase",
    ),
    "help.evidence": Sentence(
        "hỏi cả những phép dò liên quan, và ghi bằng chứng cho bên kia vào tệp này",
        "ask related probes too, and write the evidence for the other side into this file",
    ),
    "help.metavar.probe": Sentence("PHÉP-DÒ", "PROBE"),
    "help.outages": Sentence(
        "mỗi dịch vụ ngừng bao lâu trong tháng, vì sao, còn bao nhiêu ngân sách lỗi",
        "how long each service was out in a month, and why; its error budget",
    ),
    "help.month": Sentence("tháng, ví dụ 2026-11 (mặc định: tháng này)", "month, like 2026-11"),
    "help.metavar.month": Sentence("THÁNG", "MONTH"),
    "usage.month": Sentence(
        "không phải tháng: {found}; hãy viết như 2026-11",
        "not a month: {found}; write it like 2026-11",
    ),
    "usage.no_probe": Sentence(
        "không có phép dò {name}; có: {known}",
        "there is no probe {name}; there are: {known}",
    ),
}

TABLE: dict[str, Sentence] = {**_COMMANDS, **_SIDES, **_BECAUSE, **_SHOWN, **_OUTAGES}
