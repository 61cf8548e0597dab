"""Sentences of the demo."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "demo.database_refused": Sentence(
        "cơ sở dữ liệu mẫu không trả lời hoặc từ chối câu lệnh",
        "the demo's database does not answer, or refuses a statement",
        "xem nhật ký `database/server.log` trong thư mục của hệ thống mẫu",
        "look into `database/server.log` in the demo's directory",
    ),
    "demo.nothing_here": Sentence(
        "thư mục {directory} không chứa hệ thống mẫu hoàn chỉnh nào",
        "the directory {directory} holds no complete demo",
        "tạo bằng `python -m opsd.demo create`",
        "make one with `python -m opsd.demo create`",
    ),
    "demo.runs_already": Sentence(
        "hệ thống mẫu tại {directory} đang được tiến trình {pid} chạy",
        "the demo in {directory} is being run already, by process {pid}",
        "dừng tiến trình đó, hoặc chọn thư mục khác bằng --directory",
        "stop that one, or choose another directory with --directory",
    ),
    "demo.another_scale": Sentence(
        "thư mục {directory} chứa hệ thống mẫu với quy mô hoặc phiên bản khác",
        "the directory {directory} holds a demo of another scale or version",
        "xoá bằng `python -m opsd.demo clean`, hoặc chọn thư mục khác bằng --directory",
        "remove it with `python -m opsd.demo clean`, or choose another one with --directory",
    ),
    "demo.foreign_directory": Sentence(
        "thư mục {directory} không phải do hệ thống mẫu tạo ra nên không bị động đến",
        "the directory {directory} was not made by the demo, so it is left alone",
        "chọn một thư mục trống hoặc chưa có bằng --directory",
        "choose an empty or a new directory with --directory",
    ),
    "demo.does_not_end": Sentence(
        "máy chủ cơ sở dữ liệu tại {directory} không chịu dừng",
        "the database server on {directory} does not end",
        "xem nó đang chờ gì rồi thử lại",
        "look for what it waits on, then try again",
    ),
    "demo.made": Sentence(
        "hệ thống mẫu với {dossiers} hồ sơ đã sẵn sàng tại {directory}",
        "the demo with {dossiers} dossiers is ready in {directory}",
    ),
    "demo.database_runs": Sentence(
        "cơ sở dữ liệu mẫu đang chạy ({connection}); nhấn Ctrl-C để dừng",
        "the demo's database runs ({connection}); Ctrl-C ends it",
    ),
    "demo.serves": Sentence(
        "hệ thống mẫu đang chạy tại {address}; nhấn Ctrl-C để dừng",
        "the demo runs at {address}; Ctrl-C ends it",
    ),
    "demo.day_passed": Sentence(
        "ngày {day} đã qua: {arrived} hồ sơ mới, {changed} hồ sơ có tiến độ mới, "
        "{replaced} bản quét được thay",
        "day {day} has passed: {arrived} arrived, {changed} moved on, {replaced} scans replaced",
    ),
    "demo.story_begins": Sentence(
        "opsd: dựng một hệ thống hồ sơ mẫu (dữ liệu bịa, người bịa) tại {directory}",
        "opsd: making a sample dossier system (invented data, invented people) in {directory}",
    ),
    "demo.story_again": Sentence(
        "opsd: hệ thống hồ sơ mẫu tại {directory} sang ngày mới",
        "opsd: the sample dossier system in {directory} begins another day",
    ),
    "demo.system_runs": Sentence(
        "hệ thống đang chạy: {dossiers} hồ sơ trong PostgreSQL, bản quét trong {scans}",
        "the system runs: {dossiers} dossiers in PostgreSQL, scans in {scans}",
    ),
    "demo.burns": Sentence(
        "\nGiả sử máy chủ cháy: hệ thống đã tắt. Chỉ còn kho sao lưu, mật khẩu và một máy trống.",
        "\nSay the server burns: the system is off. All that is left is the repository, its"
        " password and an empty machine.",
    ),
    "demo.returned": Sentence(
        "\nHệ thống khôi phục trả lời đúng như trước khi cháy: cùng hồ sơ mới nhất, cơ sở dữ liệu"
        " và bản quét đều dùng được.\nXem thêm: opsd --help, docs/opsd.example.yaml."
        " Dọn: make clean.",
        "\nThe system that came back answers as before the fire: the same newest dossier, database"
        " and scans in use.\nMore: opsd --help, docs/opsd.example.yaml. Clean up: make clean.",
    ),
    "demo.opsd_failed": Sentence(
        "`opsd {verb}` kết thúc với mã {exit_code}",
        "`opsd {verb}` ended with exit code {exit_code}",
    ),
    "demo.answers_differ": Sentence(
        "hệ thống khôi phục trả lời khác với trước khi cháy",
        "the system that came back does not answer as before the fire",
    ),
    "demo.removed": Sentence(
        "đã xoá hệ thống mẫu tại {directory}", "the demo in {directory} has been removed"
    ),
}
