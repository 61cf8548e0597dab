"""Sentences and words of reports: outcomes, levels, recovery points, proofs, status."""

from opsd.catalogue.language import Sentence

_WORDS: dict[str, Sentence] = {
    "report.none": Sentence("không có", "none"),
    "report.no_data": Sentence("không có dữ liệu", "no data"),
    "report.ago": Sentence("cách đây {age}", "{age} ago"),
    "report.in_future": Sentence("trong tương lai!", "in the future!"),
    "report.complete": Sentence("trọn vẹn", "complete"),
    "report.incomplete": Sentence("THIẾU", "INCOMPLETE"),
    "report.notes": Sentence("Ghi nhận", "Notes"),
    "outcome.succeeded": Sentence("thành công", "succeeded"),
    "outcome.passed": Sentence("đạt", "passed"),
    "outcome.partial": Sentence("chỉ xong một phần", "partial"),
    "outcome.failed": Sentence("thất bại", "failed"),
    "outcome.could_not_verify": Sentence("không kiểm chứng được", "could not verify"),
    "outcome.timed_out": Sentence("quá thời hạn", "timed out"),
    "outcome.interrupted": Sentence("bị ngắt giữa chừng", "interrupted"),
    "severity.note": Sentence("ghi nhận", "note"),
    "severity.change": Sentence("đáng xem", "look"),
    "severity.fault": Sentence("LỖI", "FAULT"),
    "level.taken": Sentence("mới lấy", "taken"),
    "level.structure_checked": Sentence("đã kiểm tra cấu trúc", "structure checked"),
    "level.data_read": Sentence("đã đọc lại dữ liệu", "data read"),
    "level.restored": Sentence("đã khôi phục thử", "restored"),
    "level.proved": Sentence("đã chứng minh", "proved"),
    "kind.postgres": Sentence("PostgreSQL", "PostgreSQL"),
    "kind.files": Sentence("tệp", "files"),
    "task.backup": Sentence("sao lưu", "backup"),
    "task.prove": Sentence("chứng minh", "proof"),
    "task.restore": Sentence("khôi phục", "restore"),
    "task.rebuild": Sentence("dựng lại lịch sử", "rebuild"),
    "status.ok": Sentence("TỐT", "OK"),
    "status.warning": Sentence("CẦN XEM", "WARNING"),
    "status.critical": Sentence("NGUY CẤP", "CRITICAL"),
    "status.unknown": Sentence("KHÔNG RÕ", "UNKNOWN"),
}

_BACKUP: dict[str, Sentence] = {
    "backup.title": Sentence(
        "Sao lưu {name}: {outcome} sau {elapsed}", "Backup of {name}: {outcome} after {elapsed}"
    ),
    "backup.no_point": Sentence(
        "Không có điểm khôi phục nào được tạo.", "No recovery point was made."
    ),
    "label.point": Sentence("Điểm khôi phục", "Recovery point"),
    "label.data_of": Sentence("Dữ liệu lúc", "Data of"),
    "label.repository": Sentence("Kho", "Repository"),
    "label.phases": Sentence("Thời gian", "Time taken"),
    "column.member": Sentence("THÀNH PHẦN", "MEMBER"),
    "column.kind": Sentence("LOẠI", "KIND"),
    "column.holds": Sentence("GỒM", "HOLDS"),
    "column.size": Sentence("DUNG LƯỢNG", "SIZE"),
    "column.added": Sentence("THÊM VÀO KHO", "ADDED"),
    "column.target": Sentence("ĐÍCH", "TARGET"),
    "holds.tables": Sentence("{tables} bảng, {rows} dòng", "{tables} tables, {rows} rows"),
    "holds.files": Sentence("{files} tệp", "{files} files"),
}

_POINTS: dict[str, Sentence] = {
    "points.of_set": Sentence(
        "{name}: {count} điểm khôi phục, mới nhất ở trên", "{name}: {count} points, newest first"
    ),
    "points.none": Sentence(
        "{name}: chưa có điểm khôi phục nào", "{name}: there is no recovery point"
    ),
    "points.of_repository": Sentence(
        "Kho {repository}, đọc trực tiếp: {count} điểm khôi phục",
        "Repository {repository}, read directly: {count} points",
    ),
    "points.proved_at": Sentence("{level} {at}", "{level} {at}"),
    "points.failed_at": Sentence(
        "{level}; HỎNG ở bước sau, {at}", "{level}; the next level FAILED, {at}"
    ),
}

_PROOF: dict[str, Sentence] = {
    "proof.title.passed": Sentence(
        "ĐÃ CHỨNG MINH: bộ {name} khôi phục được, đúng như lúc sao lưu",
        "PROVED: {name} comes back, exactly as it was backed up",
    ),
    "proof.title.failed": Sentence(
        "KHÔNG ĐẠT: bộ {name} khôi phục từ bản sao lưu này có chỗ sai, xem ghi nhận bên dưới",
        "FAILED: what comes back from this backup of {name} is not right, see the notes below",
    ),
    "proof.title.open": Sentence(
        "CHƯA KẾT LUẬN về bộ {name}: {outcome}", "NOT CONCLUDED for {name}: {outcome}"
    ),
    "label.level": Sentence("Mức đạt được", "Level reached"),
    "label.proof_run": Sentence("Lần chứng minh", "Proof run"),
    "label.database": Sentence("Cơ sở dữ liệu", "Database"),
    "label.files": Sentence("Tệp", "Files"),
    "label.reconciled": Sentence("Đối chiếu", "Reconciled"),
    "label.invariants": Sentence("Điều phải đúng", "Invariants"),
    "label.read_back": Sentence("Đọc lại kho", "Read back"),
    "label.canaries": Sentence("Thử bộ kiểm tra", "Test of the test"),
    "label.restore_time": Sentence("Thời gian khôi phục", "Time to restore"),
    "label.wiped": Sentence("Dọn dẹp", "Wiped"),
    "proof.same": Sentence("KHỚP", "THE SAME"),
    "proof.differs": Sentence("KHÔNG KHỚP, xem ghi nhận", "DIFFERS, see the notes"),
    "proof.database": Sentence(
        "{tables} bảng, {rows} dòng: nạp vào một máy chủ PostgreSQL tạm, đếm lại và so mã băm nội"
        " dung từng bảng với lúc sao lưu: {verdict}",
        "{tables} tables, {rows} rows: loaded into a throwaway PostgreSQL server, counted again and"
        " each table's content compared by hash with what was backed up: {verdict}",
    ),
    "proof.files": Sentence(
        "{files} tệp, {bytes}: khôi phục ra chỗ riêng và so mã SHA-256 từng tệp với lúc sao lưu:"
        " {verdict}",
        "{files} files, {bytes}: restored elsewhere and each compared by SHA-256 with what was"
        " backed up: {verdict}",
    ),
    "proof.files_part": Sentence(
        "{files} tệp, {bytes} (1/{parts} số tệp, lần sau tới phần khác): so mã SHA-256 từng tệp với"
        " lúc sao lưu: {verdict}; nếu 1 % số tệp hỏng thì khả năng phát hiện là {percent} %",
        "{files} files, {bytes} (1 part of {parts}, another next time): each compared by SHA-256"
        " with what was backed up: {verdict}; damage of 1 % of all files would be seen with"
        " {percent} %",
    ),
    "proof.reconciled": Sentence(
        "{rows} tệp được cơ sở dữ liệu nhắc tới, tìm từng tệp và so kích thước, mã SHA-256:"
        " {verdict}; {orphans} tệp không được nhắc tới",
        "{rows} files that the database names, each looked for and compared by size and SHA-256:"
        " {verdict}; {orphans} files that no row names",
    ),
    "proof.invariants": Sentence(
        "{count} điều, hỏi trên cơ sở dữ liệu đã khôi phục: {verdict}",
        "{count}, asked of the restored database: {verdict}",
    ),
    "proof.invariants_hold": Sentence("ĐỀU ĐÚNG", "ALL OF THEM HOLD"),
    "proof.invariants_broken": Sentence("có {broken} điều SAI", "{broken} BROKEN"),
    "proof.read_back": Sentence(
        "{objects} khối, {bytes} đọc lại từ kho và so mã băm",
        "{objects} objects, {bytes} read back from the repository and compared by hash",
    ),
    "proof.read_whole": Sentence(
        "toàn bộ kho đọc lại và so mã băm", "the whole repository, compared by hash"
    ),
    "proof.canaries": Sentence(
        "cố ý làm hỏng {count} chỗ, phát hiện được {caught}",
        "{count} things damaged on purpose, {caught} of them caught",
    ),
    "proof.restore_time": Sentence("{span} (đo được)", "{span} (measured)"),
    "proof.restore_reckoned": Sentence(
        "nhiều nhất {span} (tính từ phần đã khôi phục)", "{span} at most (reckoned from a part)"
    ),
    "proof.wiped": Sentence(
        "đã xoá sạch dữ liệu khôi phục thử: {files} tệp, {bytes}",
        "what was restored for the trial is gone: {files} files, {bytes}",
    ),
}

_RESTORE: dict[str, Sentence] = {
    "restore.title": Sentence(
        "Khôi phục {name} từ điểm {point}, dữ liệu lúc {at}",
        "Restore of {name} from point {point}, data of {at}",
    ),
    "restore.good": Sentence(
        "ĐÃ KHÔI PHỤC và kiểm lại: đúng như lúc sao lưu, trong {elapsed}",
        "RESTORED and verified: as it was backed up, in {elapsed}",
    ),
    "restore.bad": Sentence(
        "ĐÃ GHI nhưng KHÔNG đúng như lúc sao lưu, sau {elapsed}; xem ghi nhận bên dưới",
        "WRITTEN, but NOT as it was backed up, after {elapsed}; see the notes",
    ),
    "restore.blind": Sentence(
        "ĐÃ GHI nhưng CHƯA KIỂM ĐƯỢC đủ, sau {elapsed}; xem ghi nhận bên dưới",
        "WRITTEN, but NOT all of it could be verified, after {elapsed}; see the notes",
    ),
    "restore.files": Sentence("{files} tệp", "{files} files"),
    "restore.tables": Sentence("{tables} bảng, {rows} dòng", "{tables} tables, {rows} rows"),
    "label.verified": Sentence("Đã kiểm", "Verified"),
}

_STATUS: dict[str, Sentence] = {
    "status.title": Sentence("{name}: {status}", "{name}: {status}"),
    "label.newest": Sentence("Điểm mới nhất", "Newest point"),
    "label.proved": Sentence("Điểm đã chứng minh", "Newest proved"),
    "label.last_backup": Sentence("Sao lưu gần nhất", "Last backup"),
    "label.last_proof": Sentence("Chứng minh gần nhất", "Last proof"),
    "label.next": Sentence("Lịch kế tiếp", "Next due"),
    "label.running": Sentence("Đang chạy", "Running now"),
    "status.age": Sentence("{at}, cách đây {age}", "{at}, {age} ago"),
    "status.within": Sentence("trong hạn {name} {limit}", "within the {name} of {limit}"),
    "status.beyond": Sentence("QUÁ HẠN {name} {limit}", "BEYOND the {name} of {limit}"),
    "status.run": Sentence("{outcome}, {at}, trong {elapsed}", "{outcome}, {at}, took {elapsed}"),
    "status.died": Sentence("BỊ NGẮT GIỮA CHỪNG, bắt đầu {at}", "INTERRUPTED, had begun {at}"),
    "status.under_way": Sentence(
        "{task} từ {at} (tiến trình {pid})", "{task} since {at} (process {pid})"
    ),
}

TABLE: dict[str, Sentence] = {**_WORDS, **_BACKUP, **_POINTS, **_PROOF, **_RESTORE, **_STATUS}
