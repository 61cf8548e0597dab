"""Sentences about the ports: their guards, and who may ask."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "config.certificate_missing": Sentence(
        "không có tệp chứng thư {path}", "there is no certificate {path}"
    ),
    "config.certificate_forbidden": Sentence(
        "tài khoản chạy opsd không được đọc chứng thư {path}",
        "the account of opsd may not read the certificate {path}",
    ),
    "config.certificate_wrong": Sentence(
        "{path} hoặc {other} không phải chứng thư và khoá dạng PEM (BEGIN CERTIFICATE, "
        "BEGIN PRIVATE KEY)",
        "{path} or {other} is no certificate or key in PEM (BEGIN CERTIFICATE, BEGIN PRIVATE KEY)",
    ),
    "config.certificate_other_key": Sentence(
        "khoá {other} không phải của chứng thư {path}",
        "the key {other} is not that of the certificate {path}",
    ),
    "config.key_passphrase": Sentence(
        "khoá có mật khẩu bảo vệ, opsd không có ai để hỏi; hãy bỏ mật khẩu: "
        "`openssl pkey -in KEY -out NEW`",
        "the key has a passphrase, and opsd has nobody to ask; remove it: "
        "`openssl pkey -in KEY -out NEW`",
    ),
    "config.user_line": Sentence(
        "dòng {number} không phải một người dùng, hoặc trùng tên; tạo dòng bằng "
        "`opsd config user NAME`",
        "line {number} is no user, or the second of that name; make lines with "
        "`opsd config user NAME`",
    ),
    "config.no_certificate": Sentence(
        "có khoá mà thiếu certificate_file", "there is a key without a certificate_file"
    ),
    "config.same_port": Sentence(
        "listen và admin_listen cùng là {address}; hãy dùng hai cổng khác nhau",
        "listen and admin_listen are both {address}; use two ports",
    ),
    "config.admin_open": Sentence(
        "cổng quản trị mở ra ngoài máy này mà ai cũng vào được; đặt 127.0.0.1, hoặc thêm "
        "web.admin (certificate_file, key_file, users_file)",
        "the admin port can be reached from other machines by anybody; use 127.0.0.1, or give it "
        "web.admin (certificate_file, key_file, users_file)",
    ),
    "config.password_in_clear": Sentence(
        "{option} mở ra ngoài máy này mà không có TLS: mật khẩu sẽ đi qua mạng không mã hoá; "
        "thêm certificate_file và key_file",
        "{option} can be reached from other machines without TLS: passwords would cross the "
        "network in the clear; add certificate_file and key_file",
    ),
    "help.config.name": Sentence(
        "user: tên người được hỏi cổng", "user: the name of who may ask a port"
    ),
    "web.password": Sentence(
        "Mật khẩu (ít nhất {least} ký tự): ", "Password (at least {least} characters): "
    ),
    "web.again": Sentence("Nhập lại: ", "Once more: "),
    "usage.user_name": Sentence(
        "tên người dùng phải gồm chữ, số, dấu . _ -: {found}",
        "a user's name is made of letters, digits and . _ -: {found}",
    ),
    "usage.password_short": Sentence(
        "mật khẩu phải có ít nhất {least} ký tự", "a password has at least {least} characters"
    ),
    "usage.password_differs": Sentence(
        "hai lần nhập mật khẩu khác nhau", "the two passwords are not the same"
    ),
}
