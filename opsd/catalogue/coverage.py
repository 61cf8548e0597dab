"""Sentences about reading stored objects again, and about what was found damaged."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "task.cover": Sentence("đọc lại kho", "reading stored objects again"),
    "coverage.behind": Sentence(
        "kho {repository}: có khối chưa được đọc lại từ {oldest}, quá hạn {within}; lần này đã đọc"
        " {read} trong {bytes}",
        "repository {repository}: an object was not read since {oldest}, longer than {within};"
        " {read} of {bytes} were read this time",
        "tăng `coverage.time` hoặc `coverage.rate` của kho, hoặc nới `coverage.within`",
        "raise `coverage.time` or `coverage.rate` of the repository, or `coverage.within`",
    ),
    "coverage.done": Sentence(
        "kho {repository}: đã đọc lại {read} ({count} khối), mọi khối đã được đọc từ {oldest}",
        "repository {repository}: {read} ({count} objects) read again;"
        " every object was read since {oldest}",
    ),
    "coverage.status": Sentence(
        "mọi khối trong kho đã được đọc lại từ {oldest}",
        "every stored object was read since {oldest}",
    ),
    "coverage.unread": Sentence(
        "{count} khối chưa được đọc lần nào; các khối khác đã được đọc từ {oldest}",
        "{count} objects were never read; the others since {oldest}",
    ),
    "coverage.damaged": Sentence(
        "{count} khối trong kho bị hỏng", "{count} stored objects are damaged"
    ),
    "label.coverage": Sentence("Đọc lại kho", "Read again"),
    "retention.damaged": Sentence(
        "kho có {count} khối bị hỏng: không loại bỏ gì cho tới khi sửa xong",
        "the repository has {count} damaged objects: nothing is dropped until it is repaired",
        "theo docs/runbooks/repository-damaged.md",
        "follow docs/runbooks/repository-damaged.md",
    ),
    "cause.damage": Sentence("khối lưu trữ bị hỏng", "damaged objects"),
    "check.backup_coverage": Sentence(
        "{set}: kho bị hỏng, hoặc có khối quá lâu chưa được đọc lại",
        "{set}: its repository is damaged, or objects were not read again in time",
        "xem `opsd status`; kho hỏng: docs/runbooks/repository-damaged.md",
        "see `opsd status`; a damaged repository: docs/runbooks/repository-damaged.md",
    ),
    "check.backup_retention": Sentence(
        "{set}: việc loại bỏ điểm cũ đang đóng băng, hoặc không làm được",
        "{set}: retention is frozen, or could not be done",
        "xem `opsd retention plan {set}`",
        "see `opsd retention plan {set}`",
    ),
    "coverage.affected": Sentence(
        "kho {repository}: hư hỏng ảnh hưởng {count} điểm khôi phục ({points}), {files} tệp,"
        " ví dụ {names}",
        "repository {repository}: the damage affects {count} recovery points ({points}),"
        " {files} files, for instance {names}",
        "xem toàn bộ và kế hoạch sửa: `opsd repository damage BỘ`",
        "see all of it and the plan of repair: `opsd repository damage SET`",
    ),
    "coverage.unsurveyed": Sentence(
        "kho {repository}: không xác định được điểm nào bị ảnh hưởng: {why}",
        "repository {repository}: whom the damage affects could not be found out: {why}",
        "chạy lại: `opsd repository damage BỘ`",
        "try again: `opsd repository damage SET`",
    ),
    "damage.none": Sentence(
        "kho {repository}: không biết có khối nào hỏng",
        "repository {repository}: no damage is known",
    ),
    "damage.title": Sentence(
        "kho {repository}: {count} khối hỏng, {points} điểm khôi phục bị ảnh hưởng"
        " (tìm trong {elapsed})",
        "repository {repository}: {count} objects are damaged, {points} recovery points affected"
        " (found in {elapsed})",
    ),
    "damage.row": Sentence(
        "{point}  {part}: {files} tệp: {names}", "{point}  {part}: {files} files: {names}"
    ),
    "damage.whole": Sentence(
        "{point}  {part}: không đọc được danh sách thư mục; {files} tệp đã biết: {names}",
        "{point}  {part}: lists of its directories cannot be read; {files} known: {names}",
    ),
    "damage.unplaced": Sentence(
        "không chỉ mục nào cho biết trong các khối này có gì: {names}",
        "no index tells what lay in these packs: {names}",
    ),
    "damage.steps": Sentence(
        "Sửa theo đúng thứ tự này, từng bước một, dừng khi có bước không như mô tả",
        "Repair in this order, one by one; stop where a step does not do what it says",
    ),
    "repair.stop_pruning": Sentence(
        "không loại bỏ, không thu hồi gì: opsd đã tự từ chối cho tới khi sửa xong",
        "drop and prune nothing: opsd refuses by itself until it is repaired",
    ),
    "repair.keep": Sentence(
        "chép riêng chỉ mục, bản chụp, khoá (kho từ xa: bằng công cụ của nơi lưu trữ)",
        "copy index, snapshots and keys aside (a remote repository: with the storage's own tools)",
    ),
    "repair.repair_packs": Sentence(
        "cứu phần còn lành trong khối hỏng; bản cũ của khối nằm trong thư mục này",
        "save what is whole in the damaged packs; they are kept in this directory",
    ),
    "repair.repair_index": Sentence(
        "lập lại chỉ mục từ các khối đang có", "make the index anew from the packs that are there"
    ),
    "repair.back_up": Sentence(
        "sao lưu lại từ nguồn đang sống: thứ nguồn còn giữ được ghi lại, điểm cũ cũng lành theo",
        "back up again from the living source: what it still has heals older points as well",
    ),
    "repair.read": Sentence(
        "đọc lại các khối; rồi xem ai còn bị ảnh hưởng: `opsd repository damage BỘ`",
        "read the objects again; then look who is still affected: `opsd repository damage SET`",
    ),
    "repair.repair_snapshots": Sentence(
        "chỉ khi không còn cách nào và đã chấp nhận mất: bỏ tệp hỏng khỏi các bản chụp cũ",
        "only when nothing else helped and the loss is accepted: take the lost files out of old"
        " snapshots",
    ),
    "repair.prove": Sentence(
        "chứng minh lại điểm mới nhất bằng khôi phục",
        "prove the newest point again by restoring it",
    ),
    "repair.acknowledge": Sentence(
        "xác nhận; việc loại bỏ điểm cũ tiếp tục", "acknowledge; retention goes on"
    ),
    "help.repository": Sentence(
        "đọc lại những gì kho giữ; khối nào hỏng, sửa thế nào",
        "read what is stored again; what is damaged, and how to repair it",
    ),
    "help.repository.action": Sentence(
        "read: đọc lại một phần, như mỗi đêm; damage: hư hỏng, điểm và tệp bị ảnh hưởng, kế hoạch"
        " sửa (không đổi gì)",
        "read: read a part again, as each night does; damage: what is damaged, which points and"
        " files, the plan of repair (nothing is changed)",
    ),
}
