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
        "kiểm tra đường dẫn sau --only (tính từ gốc của thành phần)",
        "look at the paths after --only (they count from the root of the member)",
    ),
}
