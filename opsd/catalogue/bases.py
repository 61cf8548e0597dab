"""Sentences about base copies: taking, storing and reading them."""

from __future__ import annotations

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "base.no_manifest": Sentence(
        "bản gốc không có bản kê đọc được (backup_manifest)",
        "the base copy has no manifest that can be read (backup_manifest)",
    ),
    "base.page_damaged": Sentence(
        "máy chủ đang chạy có trang hỏng ({count}): không chụp được bản gốc, các bản trước vẫn còn",
        "the living server has damaged pages ({count}): no base copy was taken, those before stay",
        "chi tiết nêu tệp và khối; SELECT pg_filenode_relation(0, SỐ CUỐI CỦA TÊN TỆP) cho biết"
        " bảng nào; nghi ổ đĩa: kiểm tra ổ, rồi khôi phục sang máy khác bằng opsd recover",
        "the detail names file and block; SELECT pg_filenode_relation(0, LAST NUMBER OF THE FILE)"
        " tells the table; suspect the disk: look at it, and recover elsewhere with opsd recover",
    ),
    "base.whole_instead": Sentence(
        "máy chủ không cho được phần đã đổi từ bản trước, nên chụp trọn",
        "the server could not give what changed since the copy before: a whole one was taken",
    ),
    "base.not_at_hand": Sentence(
        "bản gốc đã vào kho nhưng không giữ được trong {path}",
        "the base copy is stored, but could not be kept in {path}",
        "xem chi tiết: hết chỗ, quyền ghi, hay một lần khôi phục đang đọc; đêm sau opsd thử lại",
        "see the detail: room, permissions, or a recovery that reads there; the next copy tries"
        " again",
    ),
    "base.not_there": Sentence(
        "kho {repository} không cho thấy bản gốc vừa ghi",
        "{repository} does not show the base copy that was just written",
    ),
    "base.not_as_told": Sentence(
        "bản gốc vừa đến không khớp bản kê của máy chủ: không thành bản gốc nào",
        "what came as a base copy is not what the server's manifest says: it became none",
        "chi tiết nêu tệp; nghi đường truyền hay bộ nhớ: kiểm tra, rồi chụp lại (opsd wal base BỘ)",
        "the detail names the files; suspect the link or the memory: look at them, then take it"
        " again (opsd wal base SET)",
    ),
    "base.other_parent": Sentence(
        "máy chủ đưa phần đã đổi từ một bản khác với {id}",
        "the server gave what changed since another copy than {id}",
    ),
    "base.no_before": Sentence(
        "{path} chỉ có phần đã đổi, mà bản trước không có tệp ấy",
        "{path} has only what changed, and the copy before has no such file",
    ),
    "base.no_map": Sentence(
        "không đọc được bản đồ {name} của một bản gốc",
        "the map {name} of a base copy cannot be read",
        "dùng bản gốc khác: xem opsd wal bases BỘ; kiểm tra kho",
        "use another base copy: see opsd wal bases SET; check the repository",
    ),
    "base.unread": Sentence(
        "không đọc được {name} của một bản gốc",
        "{name} of a base copy cannot be read",
        "xem chi tiết: quyền đọc, ổ đĩa của kho; trong khi chờ, dùng bản gốc khác (opsd wal bases"
        " BỘ)",
        "see the detail: permissions, the disk of the repository; meanwhile use another base copy"
        " (opsd wal bases SET)",
    ),
    "base.heads_unread": Sentence(
        "kho {repository}: không đọc được các bản gốc {names}; không bỏ bản gốc hay nhật ký nào",
        "{repository}: the base copies {names} cannot be read; no copy and no log was dropped",
        "xem nhật ký của opsd nói vì sao: ổ đĩa, quyền, hay bản do opsd mới hơn ghi",
        "opsd's log says why: the disk, permissions, or a copy that a newer opsd wrote",
    ),
    "base.no_pack": Sentence(
        "thiếu {name} của một bản gốc",
        "{name} of a base copy is missing",
        "dùng bản gốc khác: xem opsd wal bases BỘ; kiểm tra kho",
        "use another base copy: see opsd wal bases SET; check the repository",
    ),
    "base.other_bytes": Sentence(
        "{path} của một bản gốc lấy ra không khớp mã băm của nó",
        "{path} of a base copy does not come out as its digest says",
        "dùng bản gốc khác: xem opsd wal bases BỘ; kiểm tra kho",
        "use another base copy: see opsd wal bases SET; check the repository",
    ),
    "pieces.damaged": Sentence(
        "{path} không còn đúng như khi đã ghi",
        "{path} is not what was written any more",
    ),
}
