"""Sentences about backup runs and what they notice."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "run.cancelled": Sentence(
        "lần chạy đã được dừng theo yêu cầu; không có gì của nó được coi là thành công",
        "the run was ended on request; nothing of it counts as done",
    ),
    "run.out_of_time": Sentence(
        "chưa sao lưu xong trong thời hạn {limit}; đã dừng",
        "the backup was not done within {limit} and was ended",
        "tăng `timeout` của bộ sao lưu, hoặc xem vì sao chậm hơn mọi ngày",
        "raise `timeout` of the backup set, or look why it is slower than usual",
    ),
    "member.failed": Sentence(
        "không sao lưu được thành phần {member}", "the member {member} could not be taken"
    ),
    "repository.made": Sentence(
        "đã tạo kho sao lưu mới {repository}; hãy niêm phong một bản mật khẩu ở nơi khác",
        "a new repository {repository} was made; seal a copy of its password somewhere else",
    ),
    "repository.healed": Sentence(
        "{member}: restic phải ghi lại dữ liệu mà kho đã mất; hãy kiểm tra kho",
        "{member}: restic had to store again what the repository had lost; look at the repository",
    ),
    "manifest.unreadable": Sentence(
        "{member}: bản kê của lần trước không đọc được, lần này làm lại từ đầu",
        "{member}: the manifest kept from the last run cannot be read, it is made anew",
    ),
    "files.changed": Sentence(
        "{member}: {count} tệp thay đổi trong lúc đọc: {names}",
        "{member}: {count} files changed while they were read: {names}",
    ),
    "files.vanished": Sentence(
        "{member}: {count} tệp biến mất trong lúc đọc: {names}",
        "{member}: {count} files vanished while they were read: {names}",
    ),
    "files.appeared": Sentence(
        "{member}: {count} tệp mới xuất hiện trong lúc đọc: {names}",
        "{member}: {count} files appeared while the tree was read: {names}",
    ),
    "files.unreadable": Sentence(
        "{member}: không đọc được {count} tệp: {names}",
        "{member}: {count} files could not be read: {names}",
        "cấp quyền đọc cho tài khoản chạy opsd, hoặc kiểm tra ổ đĩa nguồn",
        "give the account of opsd the right to read them, or look at the disk of the source",
    ),
    "files.unread": Sentence(
        "{member}: restic không đọc được {count} mục: {names}",
        "{member}: restic could not read {count} items: {names}",
        "cấp quyền đọc cho tài khoản chạy opsd, hoặc kiểm tra ổ đĩa nguồn",
        "give the account of opsd the right to read them, or look at the disk of the source",
    ),
    "change.table_gone": Sentence(
        "đáng xem: bảng {table} không còn (lần trước có {before} dòng)",
        "worth a look: table {table} is gone (it had {before} rows)",
    ),
    "change.table_emptied": Sentence(
        "đáng xem: bảng {table} đã trống (lần trước có {before} dòng)",
        "worth a look: table {table} is empty now (it had {before} rows)",
    ),
    "change.table_shrunk": Sentence(
        "đáng xem: bảng {table} giảm từ {before} xuống {now} dòng",
        "worth a look: table {table} went from {before} to {now} rows",
    ),
    "change.tree_shrunk": Sentence(
        "đáng xem: {member} giảm từ {before} xuống {now} tệp",
        "worth a look: {member} went from {before} to {now} files",
    ),
}
