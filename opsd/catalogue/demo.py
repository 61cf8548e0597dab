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
    "demo.interrupted": Sentence(
        "\nđã ngắt: mọi thứ hệ thống mẫu khởi động đều đã dừng",
        "\ninterrupted: everything that the demo had started was ended",
    ),
    "demo.told_already": Sentence(
        "tại {directory} đã có {holder} đang chạy",
        "{holder} runs in {directory} already",
        "chờ nó xong, hoặc chọn thư mục khác bằng --directory",
        "wait until it is done, or choose another directory with --directory",
    ),
    "demo.log_begins": Sentence(
        "\nBảo vệ liên tục: hai nơi nhận sẽ giữ nhật ký (WAL) của máy chủ ngay khi đang ghi,"
        " theo nhóm wal trong\n{config}.\nTrước hết xem sẽ làm gì trên máy chủ, rồi làm thật:",
        "\nContinuous protection: two receivers will keep the server's log (WAL) while it is"
        " written, as the group\nwal says in {config}.\n"
        "First what is to be done on the server, then the same is done:",
    ),
    "demo.log_received": Sentence(
        "\nCả hai nơi nhận đang nhận (thực tế: đặt nơi thứ hai ở máy khác). Làm lại lần nữa:"
        " từ nay mỗi giao dịch\nphải chờ tới khi một nơi nhận đã giữ chắc.",
        "\nBoth receivers receive (a real site has the second one on another machine). Once more:"
        " from now on each\ncommit waits until one of them has it safely.",
    ),
    "demo.first_night": Sentence(
        "\nopsd đang làm ca đêm đầu tiên: sao lưu, chứng minh, chép một bản gốc của cả cụm, phát"
        " lại nhật ký lên đó.\nChờ xong, chừng nửa phút...",
        "\nopsd does its first night: a backup, its proof, a base copy of the whole cluster, the"
        " log replayed onto it.\nIt takes about half a minute...",
    ),
    "demo.not_protected": Sentence(
        "`opsd run` đã kết thúc, hoặc quá lâu mà chưa bảo vệ xong; phần cuối nhật ký {log} của nó"
        " ở dưới",
        "`opsd run` has ended, or protects too little after too long; the end of its log {log} is"
        " below",
    ),
    "demo.clerk_works": Sentence(
        "\nMột cán bộ nhập từng lượt khách, mỗi lượt một giao dịch. Lượt nào máy chủ đã xác nhận"
        " thì được ghi ra\nngoài máy chủ: {notes}.\nNếu máy chủ cháy ngay lúc này thì mất gì?",
        "\nA clerk enters one visit after another, each a commit. Each that the server has"
        " acknowledged is noted\noutside the server: {notes}.\n"
        "What would be lost if the server burned right now?",
    ),
    "demo.mistake": Sentence(
        "\nNhầm tay: DROP TABLE {table}, bảng có {rows} dòng. Chưa ai biết, cán bộ vẫn nhập tiếp.",
        "\nA mistake: DROP TABLE {table}, which had {rows} rows. Nobody notices, the clerk works"
        " on.",
    ),
    "demo.server_burns": Sentence(
        "Máy chủ cháy: kill -9 mọi tiến trình của nó, xoá sạch thư mục dữ liệu. Tới lúc đó đã xác"
        " nhận\n{acknowledged} giao dịch.",
        "The server burns: kill -9 for all its processes, its data directory removed."
        " {acknowledged} commits\nwere acknowledged until then.",
    ),
    "demo.visits_back": Sentence(
        "\nĐã khởi động cụm vừa khôi phục và hỏi: có đủ {count}/{acknowledged} giao dịch đã xác"
        " nhận. Lệnh DROP TABLE cũng đã\nđược xác nhận, nên bảng {table} không có ở đây. Khôi"
        " phục thêm một bản, ngay trước lệnh ấy:",
        "\nStarted and asked: {count} of {acknowledged} acknowledged commits are there. The DROP"
        " TABLE was acknowledged\ntoo, so that {table} is not. Another recovery, to just before"
        " that:",
    ),
    "demo.nothing_lost": Sentence(
        "\nKHÔNG MẤT GÌ: đủ {count}/{acknowledged} giao dịch đã xác nhận;"
        " bảng {table} trở lại với {rows} dòng,\nđúng như ngay trước khi bị xoá\n\n"
        "  Khôi phục tới giao dịch cuối cùng    {now}\n"
        "  Khôi phục tới trước lúc xoá bảng     {drop}\n\n"
        "Xem thêm: docs/wal.md. Mọi thứ còn ở {place}. Dọn: make clean.",
        "\nNOTHING LOST: {count} of {acknowledged} acknowledged commits are back;"
        " table {table} is back with its {rows} rows,\nas it was just before it was dropped\n\n"
        "  Recovery to the last commit             {now}\n"
        "  Recovery to just before the DROP TABLE  {drop}\n\n"
        "More: docs/wal.md. All of it lies in {place}. Clean up: make clean.",
    ),
    "demo.none_acknowledged": Sentence(
        "không giao dịch nào được xác nhận nên chưa chứng minh được gì",
        "no commit was acknowledged, so nothing is proved",
    ),
    "demo.commits_lost": Sentence(
        "MẤT DỮ LIỆU: thiếu {missing}/{acknowledged} giao dịch đã xác nhận, số thứ tự ở dưới",
        "LOST: {missing} of {acknowledged} acknowledged commits are missing (their numbers below)",
    ),
    "demo.table_differs": Sentence(
        "bảng {table} không trở lại như trước khi bị xoá: khi ấy {before} dòng, nay {after} dòng,"
        " hoặc nội dung khác",
        "table {table} is not as it was before it was dropped: it had {before} rows and has"
        " {after} now, or their content differs",
    ),
    "demo.table_missing": Sentence(
        "không đọc được bảng {table}", "the table {table} cannot be read"
    ),
    "demo.removed": Sentence(
        "đã xoá hệ thống mẫu tại {directory}", "the demo in {directory} has been removed"
    ),
}
