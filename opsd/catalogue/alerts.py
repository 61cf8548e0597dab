"""Sentences about alerts that come in, and about the way that they come."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "config.webhook_open": Sentence(
        "ai cũng gửi cảnh báo vào được; thêm token_file (hoặc token_credential), hoặc "
        "client_ca_file",
        "anybody could hand in alerts; add a token_file (or token_credential), or a client_ca_file",
    ),
    "config.client_ca_without_tls": Sentence(
        "chứng thư của máy khách cần TLS: thêm web.admin.certificate_file",
        "certificates of clients need TLS: add web.admin.certificate_file",
    ),
    "config.client_ca_wrong": Sentence(
        "{path} không phải nơi cấp chứng thư, dạng PEM",
        "{path} is no authority of certificates in PEM",
    ),
    "alert.firing": Sentence(
        "Alertmanager báo {alertname}",
        "Alertmanager tells of {alertname}",
    ),
    "check.watchdog": Sentence(
        "cảnh báo luôn bật vẫn tới, lần cuối {since}",
        "the alert that fires always arrives, last at {since}",
    ),
    "check.watchdog_unheard": Sentence(
        "chưa nhận được cảnh báo luôn bật lần nào, chờ từ {since}",
        "the alert that fires always was never heard, waiting since {since}",
    ),
    "check.watchdog_missing": Sentence(
        "cảnh báo luôn bật không tới nữa, từ {since}: Prometheus hoặc Alertmanager đã dừng, hay "
        "đường tới opsd bị đứt; mọi cảnh báo khác cũng không tới",
        "the alert that fires always does not arrive, since {since}: Prometheus or Alertmanager "
        "has stopped, or their way to opsd is cut; no other alert arrives either",
        "xem docs/runbooks/OpsdWatchdogMissing.md",
        "see docs/runbooks/OpsdWatchdogMissing.md",
    ),
    "help.replay": Sentence(
        "đưa lại các cảnh báo của Alertmanager, hoặc chỉ xem điều gì sẽ xảy ra",
        "take alerts of Alertmanager once more, or only show what would follow",
    ),
    "help.replay.file": Sentence(
        "tệp JSON như Alertmanager gửi, một bản hoặc mỗi dòng một bản",
        "a message in JSON as Alertmanager sends it, or one a line",
    ),
    "help.replay.since": Sentence(
        "các cảnh báo đã lưu, từ bấy lâu tới nay, ví dụ 24h; chỉ xem",
        "the stored alerts of the last span, like 24h; only shown",
    ),
    "help.replay.dry_run": Sentence(
        "chỉ nói điều gì sẽ xảy ra, không ghi gì", "only say what would follow, record nothing"
    ),
    "replay.none": Sentence("không có cảnh báo nào", "there is no alert"),
    "replay.more": Sentence("… và {count} cảnh báo nữa", "… and {count} more"),
    "replay.done": Sentence("{count} cảnh báo, đã ghi lại", "{count} alerts, recorded"),
    "replay.dry": Sentence(
        "{count} cảnh báo; chưa ghi gì (--dry-run)",
        "{count} alerts; nothing was recorded (--dry-run)",
    ),
    "fate.known": Sentence("đã có từ trước: không làm gì", "was here before: nothing follows"),
    "fate.opened": Sentence("mở sự cố {incident}", "opens incident {incident}"),
    "fate.joined": Sentence(
        "cùng nguyên nhân với sự cố {incident}: không mở thêm",
        "has the cause of incident {incident}: opens no second one",
    ),
    "fate.answered": Sentence(
        "{fate}; kịch bản {playbook} trả lời", "{fate}; answered by the playbook {playbook}"
    ),
    "fate.closed": Sentence("kết thúc sự cố {incident}", "ends incident {incident}"),
    "fate.kept": Sentence(
        "chỉ lưu: không có mục nào trong webhook.incidents khớp",
        "only kept: nothing in webhook.incidents fits",
    ),
    "usage.unreadable": Sentence("không đọc được {path}", "{path} cannot be read"),
    "usage.no_alerts": Sentence(
        "{path} không phải bản tin của Alertmanager", "{path} is no message of Alertmanager"
    ),
}
