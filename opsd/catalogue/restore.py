"""Sentences about restoring."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "restore.no_point": Sentence(
        "bộ {name} không có điểm khôi phục phù hợp với {asked} (kho có {count} điểm)",
        "the set {name} has no recovery point that fits {asked} (the repository has {count})",
        "xem `opsd points {name} --repository TÊN` rồi chọn --point hoặc --at",
        "see `opsd points {name} --repository NAME`, then choose --point or --at",
    ),
    "restore.no_member": Sentence(
        "điểm khôi phục không có thành phần {member}; có: {known}",
        "the recovery point has no member {member}; it has: {known}",
    ),
    "restore.only_files": Sentence(
        "--only chỉ dùng được cho thành phần loại files", "--only is for members of kind files"
    ),
    "restore.live_source": Sentence(
        "đích {target} chính là (hoặc chạm vào) nguồn đang dùng {source}: không ghi đè",
        "the target {target} is (or touches) the living source {source}: nothing is written",
        "chọn thư mục khác; nếu thật sự muốn ghi đè nguồn, thêm --over-live-source",
        "choose another directory; if you truly want to overwrite the source, add"
        " --over-live-source",
    ),
    "restore.target_used": Sentence(
        "đích {target} không trống: không ghi gì cả",
        "the target {target} is not empty: nothing is written",
        "chọn thư mục trống; nếu thật sự muốn ghi vào đó, thêm --into-used-target",
        "choose an empty directory; if you truly want to write there, add --into-used-target",
    ),
    "restore.live_database": Sentence(
        "cơ sở dữ liệu đích {database} chính là cơ sở dữ liệu đang dùng: không nạp",
        "the target database {database} is the living source itself: nothing is loaded",
        "nạp vào cơ sở dữ liệu khác; nếu thật sự muốn, thêm --over-live-source",
        "load into another database; if you truly want this one, add --over-live-source",
    ),
    "restore.database_used": Sentence(
        "cơ sở dữ liệu đích {database} đã có bảng: không nạp",
        "the target database {database} has tables already: nothing is loaded",
        "tạo một cơ sở dữ liệu trống (createdb) rồi nạp vào đó",
        "make an empty database (createdb) and load into it",
    ),
    "restore.no_owners": Sentence(
        "tài khoản nạp không phải superuser: không khôi phục role, chủ sở hữu và quyền",
        "the loading role is no superuser: roles, owners and privileges were not restored",
        "nạp globals.sql bằng superuser rồi gán lại chủ sở hữu và quyền",
        "load globals.sql as a superuser, then give owners and privileges back",
    ),
    "restore.unverified": Sentence(
        "{member}: bản kết xuất đã lấy về nguyên vẹn từ kho nhưng máy này không có chương trình"
        " PostgreSQL để kiểm và nạp",
        "{member}: the dump was fetched whole from the repository, but this machine has no"
        " PostgreSQL programs to verify and load it",
        "cài PostgreSQL rồi chạy lại với --member {member} --load-into",
        "install PostgreSQL, then run again with --member {member} --load-into",
    ),
    "restore.incomplete": Sentence(
        "điểm khôi phục {point} không trọn vẹn: có thành phần đã không sao lưu được",
        "recovery point {point} is not complete: a member of it could not be taken",
    ),
    "restore.unread": Sentence(
        "{member}: không lấy lại được {count} mục từ kho",
        "{member}: {count} items could not be read from the repository",
        "không prune; thử một điểm khôi phục khác hoặc bản sao khác",
        "do not prune; try another recovery point or another copy",
    ),
    "restore.member_gone": Sentence(
        "điểm khôi phục {point} thiếu {names}: đã được sao lưu nhưng kho không còn snapshot đó",
        "the recovery point {point} lacks {names}: backed up, but the repository has that snapshot"
        " no more",
        "chọn điểm khác bằng --point, hoặc tìm snapshot đó ở bản sao khác của kho",
        "choose another point with --point, or look for it in another copy of the repository",
    ),
    "restore.nothing": Sentence(
        "{member}: không có tệp nào được khôi phục",
        "{member}: no file was restored",
        "thử một điểm khôi phục khác hoặc bản sao khác",
        "try another recovery point or another copy",
    ),
    "restore.no_path": Sentence(
        "--only {path}: điểm khôi phục {point} không có đường dẫn này trong thành phần nào đã chọn",
        "--only {path}: recovery point {point} has no such path in any member that was chosen",
        "kiểm tra đường dẫn (tính từ gốc của thành phần); nếu đúng, chọn điểm khác bằng --point",
        "look at the path (it counts from the root of the member); if it is right, choose another"
        " point with --point",
    ),
    "restore.record_unread": Sentence(
        "không đọc được bản ghi của điểm khôi phục {point}: không biết điểm này có từng có thêm"
        " thành phần nào không",
        "the record of recovery point {point} cannot be read: whether it once had more members is"
        " not known",
        "không prune; sửa kho theo docs/runbooks/repository-damaged.md, hoặc dùng bản sao khác",
        "do not prune; repair by docs/runbooks/repository-damaged.md, or turn to another copy",
    ),
    "restore.not_compared": Sentence(
        "{member}: đã lấy về từ kho, nhưng CHƯA KIỂM: không đọc được bản kê trong điểm {point} để"
        " so sánh",
        "{member}: brought back from the repository, but NOT verified: its manifest in point"
        " {point} cannot be read, so there is nothing to compare it with",
        "xem kỹ dữ liệu trước khi dùng; cơ sở dữ liệu thì tự nạp (docs/repository-format.md); hoặc"
        " dùng điểm khác, bản sao khác",
        "look at the data before they are used; load a database by hand"
        " (docs/repository-format.md); or use another point or another copy",
    ),
    "rebuild.point_unread": Sentence(
        "kho {repository}: không đọc được bản ghi của điểm khôi phục {point} (bộ {name}); điểm này"
        " không trở lại lịch sử",
        "repository {repository}: the record of recovery point {point} (set {name}) cannot be read;"
        " it did not come back into the history",
        "sửa kho theo docs/runbooks/repository-damaged.md rồi chạy lại `opsd store rebuild`; dữ"
        " liệu của điểm có thể vẫn tốt: `opsd restore {name} --point {point}`",
        "repair by docs/runbooks/repository-damaged.md, then run `opsd store rebuild` again; its"
        " data may be sound: `opsd restore {name} --point {point}`",
    ),
    "rebuild.proof_unread": Sentence(
        "kho {repository}: không đọc được bản ghi chứng minh {run} (bộ {name}); nó không trở lại"
        " lịch sử",
        "repository {repository}: the record of proof {run} (set {name}) cannot be read; it did not"
        " come back into the history",
        "chứng minh lại: `opsd prove {name}`",
        "prove again: `opsd prove {name}`",
    ),
    "rebuild.hold_unread": Sentence(
        "kho {repository}: không đọc được lệnh giữ lại {hold} (bộ {name}), hoặc lúc nó kết thúc",
        "repository {repository}: the legal hold {hold} (set {name}), or its end, cannot be read",
        "đối chiếu với sổ lệnh giữ lại, đặt lại bằng `opsd hold` trước khi cho phép xoá",
        "compare with the book of holds, and set it again with `opsd hold` before anything may go",
    ),
}
