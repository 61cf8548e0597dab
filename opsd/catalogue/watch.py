"""Sentences about what is watched: lists of checks, incidents, maintenance."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "help.checks": Sentence(
        "liệt kê các phép kiểm tra: trạng thái, từ bao giờ, câu trả lời mới nhất",
        "list the checks: their status, since when, and the newest answer",
    ),
    "help.check": Sentence(
        "hỏi ngay các phép kiểm tra của máy; mã kết thúc 0 đến 3 như Nagios",
        "ask checks of hosts now; exit codes 0 to 3 as Nagios has them",
    ),
    "help.check.name": Sentence(
        "chỉ phép kiểm tra này (mặc định: tất cả)", "only this check (default: all)"
    ),
    "help.on_host": Sentence("chỉ máy này", "only this host"),
    "help.bad": Sentence("chỉ những gì không tốt", "only what is not good"),
    "help.metavar.check": Sentence("PHÉP", "CHECK"),
    "help.metavar.host": Sentence("MÁY", "HOST"),
    "help.metavar.span": Sentence("KHOẢNG", "SPAN"),
    "help.metavar.text": Sentence("CHỮ", "TEXT"),
    "help.metavar.id": Sentence("MÃ", "ID"),
    "help.maintenance": Sentence(
        "báo trước lúc bảo trì: khi đó lỗi không thành sự cố",
        "tell of maintenance: faults are no incidents meanwhile",
    ),
    "help.maintenance.action": Sentence(
        "start: bắt đầu; end: kết thúc sớm; list: liệt kê",
        "start: begin; end: end early; list: show",
    ),
    "help.maintenance.id": Sentence("mã của lần bảo trì, cho end", "id of the window, for end"),
    "help.maintenance.for": Sentence(
        "kéo dài bao lâu, ví dụ 2h; hết giờ thì tự kết thúc",
        "how long, like 2h; it ends by itself then",
    ),
    "help.maintenance.reason": Sentence(
        "lý do, ghi vào lịch sử", "the reason, kept in the history"
    ),
    "help.maintenance.check": Sentence(
        "chỉ phép kiểm tra này (mặc định: cả máy)", "only this check (default: the whole host)"
    ),
    "checks.none": Sentence(
        "chưa có câu trả lời nào: opsd run có đang chạy không?",
        "there is no answer yet: does opsd run?",
    ),
    "checks.all_good": Sentence("tốt cả: {count} phép kiểm tra", "all is well: {count} checks"),
    "checks.here": Sentence("hệ thống sao lưu", "backups"),
    "checks.since": Sentence("{status} từ {since}", "{status} since {since}"),
    "checks.old": Sentence(
        "câu trả lời cuối cùng cách đây {age}", "the newest answer is {age} old"
    ),
    "checks.silent": Sentence(
        "không mở sự cố, vì: {why}", "no incident of its own, because of: {why}"
    ),
    "checks.incident": Sentence("sự cố {code}", "incident {code}"),
    "checks.values": Sentence("số đo", "figures"),
    "maintenance.started": Sentence(
        "đã ghi lần bảo trì {id}: {scope}, đến {ends}. Kết thúc sớm: opsd maintenance end {id}",
        "maintenance {id} is noted: {scope}, until {ends}. To end early: opsd maintenance end {id}",
    ),
    "maintenance.ended": Sentence("đã kết thúc lần bảo trì {id}", "maintenance {id} has ended"),
    "maintenance.none": Sentence("không có lần bảo trì nào", "there is no maintenance"),
    "maintenance.row": Sentence(
        "{id}  {scope}  từ {began} đến {ends}  {who}: {reason}",
        "{id}  {scope}  from {began} to {ends}  {who}: {reason}",
    ),
    "maintenance.everything": Sentence("mọi máy", "every host"),
    "usage.no_host": Sentence(
        "không có máy {name}; có: {known}",
        "there is no host {name}; there are: {known}",
    ),
    "usage.no_check": Sentence(
        "không có phép kiểm tra {name}; có: {known}",
        "there is no check {name}; there are: {known}",
    ),
    "usage.no_maintenance": Sentence(
        "không có lần bảo trì {name} đang diễn ra",
        "no maintenance {name} is under way",
        "xem: opsd maintenance list",
        "see: opsd maintenance list",
    ),
    "usage.span": Sentence(
        "không hiểu khoảng thời gian {found}",
        "this is not a span of time: {found}",
        "viết như 30m, 2h hoặc 1d12h",
        "write it like 30m, 2h or 1d12h",
    ),
}
