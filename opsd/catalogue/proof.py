"""Sentences about proofs and what they find."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "point.unknown": Sentence(
        "bộ {name} không có điểm khôi phục {point} (hoặc chưa có điểm nào trọn vẹn)",
        "the set {name} has no recovery point {point} (or no complete one at all)",
        "xem `opsd points {name}`; nếu mất lịch sử, chạy `opsd store rebuild`",
        "see `opsd points {name}`; if the history was lost, run `opsd store rebuild`",
    ),
    "proof.out_of_time": Sentence(
        "chưa chứng minh xong trong thời hạn {limit}; chưa có kết luận",
        "the proof was not done within {limit}; nothing is concluded",
        "tăng prove.timeout hoặc giảm prove.budget trong cấu hình",
        "raise prove.timeout or lower prove.budget in the configuration",
    ),
    "proof.read_nothing": Sentence(
        "không có khối dữ liệu nào trong kho {repository} để đọc lại",
        "there is no pack in repository {repository} to read back",
        "kho trống hoặc đã mất dữ liệu; giữ nguyên hiện trạng và kiểm tra ổ đĩa",
        "the repository is empty or lost its data; keep it as it is and look at the disk",
    ),
    "proof.no_record": Sentence(
        "điểm khôi phục {point} không có bản ghi kèm theo", "recovery point {point} has no record"
    ),
    "proof.fetch_failed": Sentence(
        "không lấy lại được trọn vẹn {member} từ kho",
        "{member} could not be fetched whole from the repository",
        "không prune; sửa kho theo docs/runbooks/repository-damaged.md rồi sao lưu lại ngay",
        "do not prune; repair by docs/runbooks/repository-damaged.md, then back up again at once",
    ),
    "proof.server_died": Sentence(
        "máy chủ tạm dùng để chứng minh đã chết; chưa có kết luận",
        "the throwaway database server of the proof died; nothing is concluded",
        "kiểm tra bộ nhớ và ổ đĩa scratch rồi chạy lại `opsd prove`",
        "look at memory and at the scratch disk, then run `opsd prove` again",
    ),
    "proof.server_failed": Sentence(
        "máy chủ PostgreSQL tạm dùng để chứng minh báo lỗi; chưa có kết luận",
        "the throwaway PostgreSQL server of the proof failed; nothing is concluded",
        "kiểm tra bộ nhớ và ổ đĩa scratch rồi chạy lại `opsd prove`",
        "look at memory and at the scratch disk, then run `opsd prove` again",
    ),
    "proof.incomplete": Sentence(
        "điểm khôi phục {point} không trọn vẹn: có thành phần hoặc tệp không sao lưu được",
        "recovery point {point} is not complete: members or files could not be taken",
        "xem lần sao lưu của nó, sửa nguyên nhân rồi sao lưu lại",
        "look at its backup, mend the cause, then back up again",
    ),
    "repository.snapshots_gone": Sentence(
        "kho {repository} đã mất {count} snapshot mà opsd từng ghi: {names}",
        "repository {repository} lost {count} snapshots that opsd had written: {names}",
        "có người hoặc chương trình đã xoá; đóng băng kho, tìm nguyên nhân, dùng bản sao khác",
        "a person or a program removed them; freeze the repository, find out who, use another copy",
    ),
    "repository.tells_otherwise": Sentence(
        "kho {repository} tự nó không dẫn tới điểm khôi phục {point} như lịch sử ghi",
        "repository {repository} by itself does not lead to recovery point {point} as the history"
        " has it",
        "có người đã sửa thẻ (tag) của snapshot; xem `restic snapshots`, rồi sao lưu lại ngay",
        "somebody changed the tags of snapshots; see `restic snapshots`, then back up again now",
    ),
    "repository.objects_damaged": Sentence(
        "kho {repository} có {count} khối đọc lại không khớp mã băm: {names}",
        "repository {repository} has {count} objects that do not match their hash: {names}",
        "không prune; sửa kho theo docs/runbooks/repository-damaged.md rồi sao lưu lại ngay",
        "do not prune; repair by docs/runbooks/repository-damaged.md, then back up again at once",
    ),
    "proof.no_members": Sentence(
        "điểm khôi phục không có thành phần nào", "the recovery point has no members"
    ),
    "proof.no_tables": Sentence(
        "cơ sở dữ liệu {database} trong bản sao lưu không có bảng nào",
        "the database {database} of the backup has no tables",
    ),
    "proof.no_rows": Sentence(
        "{member}: mọi bảng đều trống nên không chứng minh được gì",
        "{member}: every table is empty, so nothing is proved",
    ),
    "proof.no_files": Sentence(
        "{member}: không có tệp nào được khôi phục nên không chứng minh được gì",
        "{member}: no file was restored, so nothing is proved",
    ),
    "proof.table_missing": Sentence(
        "bảng {table} không có sau khi khôi phục", "table {table} is missing after the restore"
    ),
    "proof.table_extra": Sentence(
        "bảng {table} có sau khi khôi phục nhưng không có trong bản kê",
        "table {table} is there after the restore but not in the manifest",
    ),
    "proof.rows_differ": Sentence(
        "bảng {table}: khôi phục được {rows} dòng, bản kê ghi {expected}",
        "table {table}: {rows} rows were restored, the manifest says {expected}",
    ),
    "proof.digest_differs": Sentence(
        "bảng {table}: đủ {rows} dòng nhưng nội dung khác bản kê",
        "table {table}: all {rows} rows are there but their content differs from the manifest",
    ),
    "proof.sequence_differs": Sentence(
        "sequence {sequence} không nằm trong khoảng {low} đến {high}",
        "sequence {sequence} does not stand between {low} and {high}",
    ),
    "proof.extensions_missing": Sentence(
        "thiếu phần mở rộng PostgreSQL: {names}", "PostgreSQL extensions are missing: {names}"
    ),
    "proof.roles_missing": Sentence(
        "thiếu role sau khi khôi phục: {names}", "roles are missing after the restore: {names}"
    ),
    "proof.properties_differ": Sentence(
        "chủ sở hữu, quyền hoặc thiết lập của chính cơ sở dữ liệu khác bản kê: {names}",
        "owner, grants or settings of the database itself differ from the manifest: {names}",
    ),
    "proof.large_objects_differ": Sentence(
        "large object khác bản kê: có {count}, bản kê ghi {expected}",
        "large objects differ from the manifest: {count} there, {expected} expected",
    ),
    "proof.invariant_broken": Sentence(
        "điều kiện «{name}» không thoả: {rows} dòng vi phạm",
        "the invariant “{name}” does not hold: {rows} rows offend",
    ),
    "proof.files.missing": Sentence(
        "{member}: thiếu {count} tệp sau khi khôi phục: {names}",
        "{member}: {count} files are missing after the restore: {names}",
    ),
    "proof.files.extra": Sentence(
        "{member}: thừa {count} tệp so với bản kê: {names}",
        "{member}: {count} files are there that the manifest does not have: {names}",
    ),
    "proof.files.fleeting": Sentence(
        "{member}: {count} tệp xuất hiện rồi biến mất trong lúc sao lưu: {names}",
        "{member}: {count} files came and went while the backup was taken: {names}",
    ),
    "proof.files.unsteady": Sentence(
        "{member}: {count} tệp thay đổi trong lúc sao lưu nên không có gì để so: {names}",
        "{member}: {count} files changed during the backup, so that there was nothing to compare"
        " them with: {names}",
        "tìm việc gì sửa cả cây tệp vào giờ sao lưu (chmod, quét virus) và dời giờ của nó",
        "look for what touches the tree at that hour (chmod, a virus scanner) and move it",
    ),
    "proof.files.content": Sentence(
        "{member}: {count} tệp khác nội dung so với bản kê: {names}",
        "{member}: {count} files differ in content from the manifest: {names}",
    ),
    "proof.files.kind": Sentence(
        "{member}: {count} mục khác loại so với bản kê: {names}",
        "{member}: {count} entries are of another kind than the manifest says: {names}",
    ),
    "proof.files.mtime": Sentence(
        "{member}: {count} tệp sai thời điểm sửa đổi: {names}",
        "{member}: {count} files have another modification time: {names}",
    ),
    "proof.files.mode": Sentence(
        "{member}: {count} mục sai quyền truy cập: {names}",
        "{member}: {count} entries have another mode: {names}",
    ),
    "proof.files.target": Sentence(
        "{member}: {count} liên kết trỏ sai đích: {names}",
        "{member}: {count} links point elsewhere: {names}",
    ),
    "proof.files.owner": Sentence(
        "{member}: {count} mục sai chủ sở hữu: {names}",
        "{member}: {count} entries have another owner: {names}",
    ),
    "proof.files.xattrs": Sentence(
        "{member}: {count} mục sai thuộc tính mở rộng hoặc ACL: {names}",
        "{member}: {count} entries have other extended attributes or ACLs: {names}",
    ),
    "proof.files.links": Sentence(
        "{member}: {count} tệp mất liên kết cứng: {names}",
        "{member}: {count} files lost their hard links: {names}",
    ),
    "proof.sampled": Sentence(
        "{member}: lượt {turn}/{parts}, khôi phục {files}/{of} tệp; nếu 1 % số tệp hỏng thì xác"
        " suất phát hiện là {percent} % (phân phối siêu bội, {formula}: {source})",
        "{member}: turn {turn} of {parts}, {files} of {of} files restored; if 1 % of the files were"
        " damaged it would be seen with a probability of {percent} %"
        " (hypergeometric distribution, {formula}: {source})",
    ),
    "proof.covered_in_part": Sentence(
        "{member}: {covered}/{parts} phần đã được chứng minh trong {days} ngày gần đây; mỗi ngày"
        " một lần thì đủ mọi phần vào {full_by}",
        "{member}: {covered} of {parts} parts proved in the last {days} days; with one proof a day"
        " all of them by {full_by}",
    ),
    "proof.covered": Sentence(
        "{member}: cả {parts} phần đã được chứng minh trong {days} ngày gần đây",
        "{member}: all {parts} parts proved in the last {days} days",
    ),
    "proof.not_kept": Sentence(
        "không ghi được kết quả chứng minh {point} vào kho, chỉ có trong lịch sử",
        "the result of the proof of {point} could not be kept in the repository, only in the"
        " history",
    ),
    "proof.blind": Sentence(
        "phép kiểm không phát hiện mẫu bị làm hỏng có chủ ý ({names}): kết quả chứng minh vô hiệu",
        "damage made on purpose was not caught ({names}): the proof is void",
        "báo cho người phát triển opsd; không tin kết quả chứng minh này",
        "tell the developers of opsd; do not trust this proof",
    ),
    "reconcile.missing": Sentence(
        "{member}: {count} tệp mà cơ sở dữ liệu nhắc tới không có trong bản sao lưu: {names}",
        "{member}: {count} files that the database names are not in the backup: {names}",
        "tìm lại tệp từ điểm khôi phục trước đó: `opsd restore ... --only`",
        "find the files in an earlier recovery point: `opsd restore ... --only`",
    ),
    "reconcile.content": Sentence(
        "{member}: {count} tệp khác với mã băm hoặc kích thước ghi trong cơ sở dữ liệu: {names}",
        "{member}: {count} files differ from the hash or size that the database has: {names}",
        "tệp đã bị sửa ngoài hệ thống; so với điểm khôi phục trước đó",
        "they were altered outside the system; compare with an earlier recovery point",
    ),
    "reconcile.newer": Sentence(
        "{member}: {count} tệp được sửa sau thời điểm chụp cơ sở dữ liệu: {names}",
        "{member}: {count} files were changed after the database's snapshot: {names}",
    ),
    "reconcile.orphans": Sentence(
        "{member}: {count} tệp không có dòng nào trong cơ sở dữ liệu: {names}",
        "{member}: {count} files have no row in the database: {names}",
    ),
    "reconcile.no_rows": Sentence(
        "câu truy vấn đối chiếu trên {member} không trả về dòng nào",
        "the query of the reconciliation on {member} returned no rows",
        "sửa prove.reconcile.query trong cấu hình",
        "mend prove.reconcile.query in the configuration",
    ),
    "reconcile.not_possible": Sentence(
        "không đối chiếu được {member}: điểm khôi phục thiếu thành phần",
        "{member} cannot be reconciled: the recovery point lacks a member",
    ),
}
