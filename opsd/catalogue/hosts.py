"""Why a host could not be asked."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "host.dns": Sentence(
        "không phân giải được tên {address} của máy {host}",
        "the name {address} of the host {host} cannot be resolved",
        "kiểm tra máy chủ DNS của máy này, hoặc ghi địa chỉ IP vào `address`",
        "look at the DNS of this machine, or write an IP address into `address`",
    ),
    "host.connect": Sentence(
        "máy {host} không nhận kết nối ở cổng {port}",
        "the host {host} takes no connection on port {port}",
        "kiểm tra sshd trên máy đó, cổng trong cấu hình và tường lửa",
        "look at sshd there, at the port in the configuration and at the firewall",
    ),
    "host.silent": Sentence(
        "máy {host} không trả lời trong {limit}",
        "the host {host} did not answer within {limit}",
        "kiểm tra máy đó còn chạy không và đường truyền tới nó",
        "see whether it runs, and look at the road there",
    ),
    "host.key_unknown": Sentence(
        "chưa biết khoá của máy {host}: {path} không có dòng nào cho máy này",
        "the key of the host {host} is not known: {path} has no line for it",
        "lấy khoá bằng ssh-keyscan, đối chiếu dấu vân tay tại máy đó, rồi ghi vào tệp",
        "take it by ssh-keyscan, compare its fingerprint at the machine, then add it to the file",
    ),
    "host.key_changed": Sentence(
        "máy {host} đưa ra khoá khác với khoá trong {path}: có thể là một máy khác",
        "the host {host} shows another key than {path} has: it may be another machine",
        "không kết nối; hỏi người quản trị có cài lại máy không, rồi mới thay khoá trong tệp",
        "do not connect; ask whether it was installed anew, and only then change the file",
    ),
    "host.known_hosts": Sentence(
        "không đọc được tệp khoá máy chủ {path} dùng cho máy {host}",
        "the file of host keys {path} for the host {host} cannot be read",
        "kiểm tra đường dẫn `known_hosts` và quyền đọc của tài khoản chạy opsd",
        "look at `known_hosts` and at the right of opsd's account to read it",
    ),
    "host.key_unusable": Sentence(
        "không dùng được khoá riêng {path} cho máy {host}",
        "the private key {path} for the host {host} cannot be used",
        "khoá phải ở dạng OpenSSH, không có mật khẩu, và tài khoản chạy opsd đọc được",
        "it must be in OpenSSH's format, without a passphrase, readable by opsd's account",
    ),
    "host.auth": Sentence(
        "máy {host} không cho tài khoản {user} đăng nhập bằng khoá này",
        "the host {host} does not let the account {user} in with this key",
        "thêm khoá công khai vào authorized_keys của tài khoản đó trên máy",
        "add the public key to authorized_keys of that account there",
    ),
    "host.lost": Sentence(
        "mất kết nối tới máy {host} giữa chừng",
        "the connection to the host {host} was lost",
        "kiểm tra đường truyền và sshd trên máy đó",
        "look at the road there and at sshd",
    ),
    "host.overdue": Sentence(
        "máy {host} chưa làm xong sau {limit} nên việc ở đó đã bị dừng",
        "the host {host} was not done after {limit}; the work there was ended",
        "xem tải, ổ đĩa và các mount treo trên máy đó",
        "look at its load, its disks and for hung mounts",
    ),
    "host.no_timeout": Sentence(
        "máy {host} không có chương trình `timeout`, nên không thể giới hạn thời gian ở đó",
        "the host {host} has no program `timeout`, so nothing there could be bounded",
        "cài coreutils (hoặc busybox) trên máy đó",
        "install coreutils (or busybox) there",
    ),
    "host.no_answer": Sentence(
        "máy {host} cho đăng nhập nhưng không chạy được lệnh shell",
        "the host {host} lets in but runs no shell command",
        "cho tài khoản đó một shell POSIX (/bin/sh) và bỏ lệnh ép buộc trong authorized_keys",
        "give the account a POSIX shell (/bin/sh), and take a forced command from authorized_keys",
    ),
    "host.cancelled": Sentence(
        "đã dừng hỏi máy {host} theo yêu cầu", "asking the host {host} was ended on request"
    ),
}
