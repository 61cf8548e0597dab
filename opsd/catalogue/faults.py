"""Sentences of errors that the drivers raise."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "process.cannot_start": Sentence(
        "không chạy được chương trình {program}",
        "the program {program} cannot be started",
        "cài đặt chương trình hoặc sửa đường dẫn trong cấu hình; `opsd doctor` cho biết thiếu gì",
        "install it or mend its path in the configuration; `opsd doctor` tells what is missing",
    ),
    "process.failed": Sentence(
        "{program} kết thúc với mã lỗi {exit_code}", "{program} exited with code {exit_code}"
    ),
    "process.timed_out": Sentence(
        "{program} chưa xong sau {limit} nên đã bị dừng; chưa rõ kết quả",
        "{program} was not done after {limit} and was ended; its outcome is unknown",
        "xem nó đang chờ gì, hoặc tăng thời hạn trong cấu hình",
        "look for what it waits on, or raise its limit in the configuration",
    ),
    "process.cancelled": Sentence(
        "{program} đã được dừng theo yêu cầu", "{program} was ended on request"
    ),
    "cluster.no_binaries": Sentence(
        "không tìm thấy chương trình PostgreSQL phiên bản {major} trở lên",
        "no PostgreSQL programs of version {major} or newer were found",
        "cài gói postgresql-{major} (Debian) hoặc mới hơn trên máy này",
        "install the package postgresql-{major} (Debian) or newer on this machine",
    ),
    "cluster.failed": Sentence(
        "cụm PostgreSQL riêng tại {directory} không khởi tạo hoặc khởi động được",
        "the private PostgreSQL cluster in {directory} cannot be made or started",
        "xem nhật ký {log}; kiểm tra dung lượng và quyền của thư mục",
        "read the log {log}; look at the space and the permissions of the directory",
    ),
}
