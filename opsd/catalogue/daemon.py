"""Sentences of the daemon and its pages."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "daemon.already_runs": Sentence(
        "một tiến trình opsd khác đang chạy với thư mục {path}: {holder}",
        "another opsd runs on the directory {path}: {holder}",
        "dừng tiến trình kia trước, hoặc dùng thư mục `state` khác",
        "stop the other one first, or give this one another `state` directory",
    ),
    "daemon.state_unusable": Sentence(
        "không dùng được thư mục {path}",
        "the directory {path} cannot be used",
        "cấp quyền ghi thư mục này cho tài khoản chạy opsd, hoặc đổi `state`",
        "let the account of opsd write in it, or change `state`",
    ),
    "daemon.port_taken": Sentence(
        "không mở được cổng {address}: chương trình khác đang dùng",
        "cannot listen on {address}: another program does",
        "dừng chương trình kia (xem `ss -ltnp`), hoặc đổi `listen`",
        "stop the other program (see `ss -ltnp`), or change `listen`",
    ),
    "daemon.cannot_listen": Sentence(
        "không mở được địa chỉ {address}",
        "cannot listen on {address}",
        "sửa `listen` thành một địa chỉ của máy này",
        "change `listen` to an address of this machine",
    ),
    "daemon.needs_restart": Sentence(
        "`{option}` đã đổi từ {before} thành {now}; chỉ có hiệu lực khi khởi động lại",
        "`{option}` was changed from {before} to {now}; that takes a restart",
        "khởi động lại opsd: systemctl restart opsd",
        "restart opsd: systemctl restart opsd",
    ),
    "daemon.page_title": Sentence("opsd {version}", "opsd {version}"),
    "daemon.page_about": Sentence(
        "Sao lưu dữ liệu và chứng minh rằng dữ liệu khôi phục được.",
        "Backs data up, and proves that it can be restored.",
    ),
    "daemon.page_metrics": Sentence("Số liệu cho Prometheus", "Metrics for Prometheus"),
    "daemon.page_healthy": Sentence("opsd còn hoạt động không?", "Is opsd alive?"),
    "daemon.page_ready": Sentence("opsd đã sẵn sàng chưa?", "Is opsd ready?"),
}
