"""Sentences about mistakes of the configuration.

Each follows `file:line:column: path: `, so it begins in lower case and speaks of that option.
"""

from opsd.catalogue.language import Sentence

_FILE: dict[str, Sentence] = {
    "config.mistakes": Sentence(
        "cấu hình {file} chưa dùng được, số lỗi: {count}",
        "the configuration {file} cannot be used, mistakes: {count}",
    ),
    "config.did_you_mean": Sentence("(có phải ý bạn là {close}?)", "(did you mean {close}?)"),
    "config.file_missing": Sentence("không có tệp này", "there is no such file"),
    "config.file_forbidden": Sentence(
        "không được phép đọc tệp này", "this file may not be read by this user"
    ),
    "config.file_is_directory": Sentence(
        "đây là thư mục, cần một tệp", "this is a directory, a file is needed"
    ),
    "config.file_failed": Sentence(
        "không đọc được tệp này (mã lỗi hệ thống {number})",
        "this file cannot be read (system error number {number})",
    ),
    "config.not_utf8": Sentence(
        "byte này không phải UTF-8; hãy lưu tệp với bảng mã UTF-8",
        "this byte is not UTF-8; save the file as UTF-8",
    ),
    "config.empty_file": Sentence(
        "tệp trống, chưa có tuỳ chọn nào", "the file is empty, it has no options"
    ),
}

_SYNTAX: dict[str, Sentence] = {
    "config.tab": Sentence(
        "có ký tự tab; hãy thụt dòng bằng dấu cách", "there is a tab here; indent with spaces"
    ),
    "config.colon": Sentence(
        "dấu hai chấm không đặt ở đây được; kiểm tra thụt dòng, hoặc đặt giá trị trong ngoặc kép",
        "a colon cannot stand here; look at the indentation, or put the whole value in quotes",
    ),
    "config.no_colon": Sentence(
        "thiếu dấu hai chấm sau tên tuỳ chọn", "there is no colon after the name of the option"
    ),
    "config.quote": Sentence(
        "dấu ngoặc kép mở ở đây nhưng không đóng", "the quote that opens here is never closed"
    ),
    "config.escape": Sentence(
        "chuỗi sau dấu \\ không hợp lệ; dùng ngoặc đơn nếu muốn giữ nguyên dấu \\",
        "what follows the \\ means nothing; use single quotes to keep a \\ as it is",
    ),
    "config.bracket": Sentence(
        "ngoặc mở ở đây nhưng bên trong sai hoặc không đóng",
        "the bracket that opens here is never closed, or what is inside it is wrong",
    ),
    "config.indent": Sentence(
        "thụt dòng sai so với các dòng phía trên",
        "the indentation does not fit the lines above",
    ),
    "config.anchor": Sentence(
        "neo (&) hoặc tham chiếu (*) sai; đặt giá trị trong ngoặc kép nếu đó chỉ là văn bản",
        "this anchor (&) or alias (*) is wrong; put the value in quotes if it is only text",
    ),
    "config.second_document": Sentence(
        "tài liệu YAML thứ hai bắt đầu ở đây; tệp chỉ được có một",
        "a second YAML document begins here; the file may have only one",
    ),
    "config.tag": Sentence(
        "không dùng thẻ YAML (!); đặt giá trị trong ngoặc kép nếu đó chỉ là văn bản",
        "YAML tags (!) are not used; put the value in quotes if it is only text",
    ),
    "config.merge": Sentence(
        "sau << phải là một nhóm tuỳ chọn", "what follows << must be a group of options"
    ),
    "config.start": Sentence(
        "giá trị không thể bắt đầu bằng ký tự này; hãy đặt cả giá trị trong ngoặc kép",
        "a value cannot begin with this character; put the whole value in quotes",
    ),
    "config.character": Sentence(
        "có ký tự không được phép trong YAML", "there is a character that YAML does not allow"
    ),
    "config.too_deep": Sentence("tệp lồng quá nhiều cấp", "the file is nested too deep"),
    "config.syntax": Sentence("từ đây trở đi không phải YAML", "from here on this is not YAML"),
    "config.twice": Sentence(
        "tuỳ chọn này đã có ở dòng {line}", "this option was already given in line {line}"
    ),
}

_KINDS: dict[str, Sentence] = {
    "config.kind_nothing": Sentence("giá trị trống", "nothing"),
    "config.kind_truth": Sentence("true/false", "true/false"),
    "config.kind_number": Sentence("số", "a number"),
    "config.kind_text": Sentence("văn bản", "a text"),
    "config.kind_list": Sentence("danh sách", "a list"),
    "config.kind_group": Sentence("nhóm tuỳ chọn", "a group of options"),
    "config.truth_expected": Sentence(
        "phải là true hoặc false, không phải {found}", "must be true or false, not {found}"
    ),
    "config.whole_number_expected": Sentence(
        "phải là số nguyên, không phải {found}", "must be a whole number, not {found}"
    ),
    "config.text_expected": Sentence(
        "phải là văn bản, không phải {found}", "must be a text, not {found}"
    ),
    "config.list_expected": Sentence(
        "phải là danh sách, không phải {found}", "must be a list, not {found}"
    ),
    "config.group_expected": Sentence(
        "phải là nhóm tuỳ chọn (tên: giá trị), không phải {found}",
        "must be a group of options (name: value), not {found}",
    ),
}

_OPTIONS: dict[str, Sentence] = {
    "config.unknown": Sentence("không có tuỳ chọn nào tên như vậy", "there is no such option"),
    "config.missing": Sentence(
        "thiếu tuỳ chọn bắt buộc này", "this option is required and missing"
    ),
    "config.one_needed": Sentence("cần ít nhất một mục", "at least one is needed"),
    "config.number_expected": Sentence(
        "cần một số, đang là {found}", "a number is needed, this is {found}"
    ),
    "config.more_than": Sentence("phải lớn hơn {limit}", "must be more than {limit}"),
    "config.at_least": Sentence("phải từ {limit} trở lên", "must be {limit} or more"),
    "config.at_most": Sentence("không được quá {limit}", "must be {limit} or less"),
    "config.choice": Sentence("phải là một trong: {choices}", "must be one of: {choices}"),
    "config.not_usable": Sentence("giá trị không dùng được", "this value cannot be used"),
    "config.name_text": Sentence(
        "tên tuỳ chọn phải là văn bản", "the name of an option must be a text"
    ),
    "config.not_text": Sentence(
        "phải là văn bản; đặt giá trị trong ngoặc kép", "must be a text; put the value in quotes"
    ),
    "config.empty": Sentence("không được để trống", "must not be empty"),
    "config.name": Sentence(
        "tên không hợp lệ: {found}; chỉ dùng chữ thường a-z, số, - và _, bắt đầu bằng chữ, "
        "nhiều nhất 31 ký tự",
        "not a name: {found}; use lower case a-z, digits, - and _, a letter first, "
        "31 characters at most",
    ),
    "config.slot": Sentence(
        "tên slot, vai trò gồm chữ thường, số và _: {found}",
        "names of slots and roles have lower case letters, digits and _: {found}",
    ),
    "config.wal_twice": Sentence(
        "nơi nhận {other} đã dùng giá trị này; mỗi nơi nhận cần một giá trị riêng",
        "the receiver {other} has this already; each needs its own",
    ),
    "config.wal_too_few": Sentence(
        "nhiều hơn số nơi nhận ({count}): không giao dịch nào chờ xong được",
        "more than there are receivers ({count}): no commit could ever be acknowledged",
    ),
    "config.wal_storage": Sentence(
        "kho {name} không nhận được nhật ký WAL: cần một thư mục hoặc một bucket (s3:)",
        "the repository {name} cannot take the log (WAL): a directory or a bucket (s3:) can",
    ),
    "config.host": Sentence(
        "tên máy không hợp lệ: {found}; chỉ dùng chữ a-z, số, dấu chấm, - và _",
        "not a name of a machine: {found}; use letters a-z, digits, dots, - and _",
    ),
    "config.duration": Sentence(
        "không phải khoảng thời gian: {found}; hãy viết như 90s, 10m, 4h, 1d12h (đơn vị s m h d w, "
        "tối đa 3650d)",
        "not a duration: {found}; write it like 90s, 10m, 4h, 1d12h (units s m h d w, "
        "at most 3650d)",
    ),
    "config.size": Sentence(
        "không phải dung lượng: {found}; hãy viết như 500MiB, 2GiB, 1GB, 1.5T",
        "not a size: {found}; write it like 500MiB, 2GiB, 1GB, 1.5T",
    ),
    "config.zero": Sentence("phải lớn hơn 0: {found}", "must be more than 0: {found}"),
    "config.device": Sentence(
        "không phải kiểu ổ đĩa của smartctl: {found}; hãy viết như `sat` hoặc "
        "`/dev/sda megaraid,0`",
        "not a type of disk that smartctl knows: {found}; write it like `sat` or "
        "`/dev/sda megaraid,0`",
    ),
    "config.unit_name": Sentence(
        "không phải tên unit của systemd: {found}; hãy viết như postgresql.service",
        "not the name of a systemd unit: {found}; write it like postgresql.service",
    ),
    "config.time": Sentence(
        'không phải giờ trong ngày: {found}; hãy viết như "01:30"',
        'not a time of day: {found}; write it like "01:30"',
    ),
    "config.zone": Sentence(
        "không có múi giờ {found}; hãy viết như Asia/Ho_Chi_Minh",
        "there is no time zone {found}; write it like Asia/Ho_Chi_Minh",
    ),
    "config.listen": Sentence(
        "không phải địa chỉ và cổng: {found}; hãy viết như 127.0.0.1:9851",
        "not an address and port: {found}; write it like 127.0.0.1:9851",
    ),
    "config.program": Sentence(
        "phải là tên chương trình hoặc đường dẫn tuyệt đối: {found}",
        "must be the name of a program or an absolute path: {found}",
    ),
    "config.absolute": Sentence(
        "phải là đường dẫn tuyệt đối, bắt đầu bằng /: {found}",
        "must be an absolute path that begins with /: {found}",
    ),
    "config.exclude": Sentence(
        "phải là đường dẫn thường nằm trong thư mục gốc, không có *, ?, [, \\ hay ..: {found}",
        "must be a plain path below the root, without *, ?, [, \\ or ..: {found}",
    ),
    "config.no_such_name": Sentence(
        "không có mục nào tên {name}; đang có: {known}",
        "nothing is named {name}; there is: {known}",
    ),
    "config.member_kind": Sentence(
        "thành phần {name} phải thuộc loại {kind}", "the member {name} must be of kind {kind}"
    ),
    "config.reserved": Sentence(
        "opsd dành tên {name} cho phần của chính nó; hãy đặt tên khác",
        "opsd keeps the name {name} for a part of its own; choose another",
    ),
    "config.name_twice": Sentence(
        "tên này đã dùng cho một mục khác: {name}", "another one has this name already: {name}"
    ),
}

_SECRETS: dict[str, Sentence] = {
    "config.secret_file": Sentence(
        "phải là đường dẫn tuyệt đối của một tệp; không ghi mật khẩu vào đây",
        "must be the absolute path of a file; do not write the secret itself here",
    ),
    "config.credential": Sentence(
        "phải là tên một credential của systemd; không ghi mật khẩu vào đây",
        "must be the name of a systemd credential; do not write the secret itself here",
    ),
    "config.both": Sentence(
        "chỉ dùng một trong hai: {one} hoặc {other}", "give only one of {one} and {other}"
    ),
    "config.neither": Sentence(
        "cần một trong hai: {one} hoặc {other}", "one of {one} and {other} is needed"
    ),
    "config.no_known_hosts": Sentence(
        "cần `known_hosts`: máy có `address` mà không biết khoá thì không kết nối",
        "`known_hosts` is needed: a host with an `address` is not reached without its key",
    ),
    "config.only_s3": Sentence("chỉ dùng cho kho s3:", "is only for a repository of the form s3:"),
    "config.url_form": Sentence(
        "phải là đường dẫn tuyệt đối, s3:https://máy/bucket/thư-mục, sftp:người-dùng@máy:/đường-dẫn"
        " hoặc rest:https://máy/đường-dẫn",
        "must be an absolute path, s3:https://host/bucket/prefix, sftp:user@host:/path "
        "or rest:https://host/path",
    ),
    "config.url_scheme": Sentence(
        "không dùng được loại kho {found}; hãy dùng đường dẫn tuyệt đối, s3:, sftp: hoặc rest:",
        "{found}: is no known kind of repository; use an absolute path, s3:, sftp: or rest:",
    ),
    "config.url_secret": Sentence(
        "không ghi mật khẩu trong địa chỉ kho; hãy để trong tệp riêng",
        "no password in the address of a repository; keep it in a file of its own",
    ),
    "config.store_form": Sentence(
        "hãy viết như: postgresql://opsd@may-chu/opsd; bỏ tuỳ chọn này để giữ lịch sử trong tệp",
        "write it like: postgresql://opsd@server/opsd; leave it out to keep the history in a file",
    ),
    "config.store_secret": Sentence(
        "không ghi {word} trong địa chỉ; dùng store_passfile hoặc store_passfile_credential",
        "no {word} in the address; use store_passfile or store_passfile_credential",
    ),
    "config.connection_form": Sentence(
        "hãy viết như: host=/run/postgresql dbname=dossiers user=opsd_backup",
        "write it like: host=/run/postgresql dbname=dossiers user=opsd_backup",
    ),
    "config.connection_secret": Sentence(
        "không ghi {word}= trong chuỗi kết nối; dùng passfile hoặc passfile_credential",
        "no {word}= in the connection; use passfile or passfile_credential",
    ),
    "config.connection_word": Sentence(
        "có từ khoá mà libpq không biết", "there is a keyword that libpq does not know"
    ),
    "config.connection_database": Sentence(
        "thiếu dbname=: chưa nói cơ sở dữ liệu nào", "dbname= is missing: which database"
    ),
    "config.credential_directory": Sentence(
        "credential {name} chỉ có khi opsd chạy dưới systemd",
        "the credential {name} exists only when opsd runs under systemd",
        "chạy qua dịch vụ, hoặc `systemd-run -p LoadCredential={name}:TỆP opsd ...`",
        "run the service, or `systemd-run -p LoadCredential={name}:FILE opsd ...`",
    ),
    "config.credential_missing": Sentence(
        "systemd không giao credential {name}",
        "systemd did not hand over the credential {name}",
        "thêm LoadCredential={name}:TỆP vào phần [Service] của dịch vụ",
        "add LoadCredential={name}:FILE to the [Service] section of the unit",
    ),
}

_GROUND: dict[str, Sentence] = {
    "config.secret_missing": Sentence("không có tệp {path}", "there is no file {path}"),
    "config.secret_no_file": Sentence(
        "{path} không phải là tệp thường", "{path} is not a regular file"
    ),
    "config.secret_forbidden": Sentence(
        "người dùng đang chạy opsd không đọc được {path}",
        "the user who runs opsd cannot read {path}",
    ),
    "config.secret_empty": Sentence("tệp {path} trống", "the file {path} is empty"),
    "config.secret_open": Sentence(
        "người khác cũng đọc hoặc ghi được {path} (quyền {mode}); hãy chạy `chmod 600 {path}`",
        "others may read or write {path} (mode {mode}); run `chmod 600 {path}`",
    ),
    "config.same_device": Sentence(
        "kho nằm cùng ổ đĩa với nguồn {path} (bộ {set}, thành phần {member}): hỏng ổ là mất cả "
        "hai; hãy đặt kho ở ổ hoặc máy khác, chỉ bản trình diễn mới dùng `demo: true`",
        "the repository is on the same device as its source {path} (set {set}, member {member}): "
        "one broken disk loses both; use another disk or machine, or `demo: true` for a "
        "demonstration",
    ),
    "config.inside_source": Sentence(
        "nằm trong nguồn {path} (bộ {set}, thành phần {member}) nên sẽ tự sao lưu chính nó; "
        "hãy chuyển đi nơi khác hoặc thêm vào `exclude`",
        "lies inside the source {path} (set {set}, member {member}) and would be backed up into "
        "itself; move it, or add it to `exclude`",
    ),
}

_PROBES: dict[str, Sentence] = {
    "config.peer": Sentence(
        "không phải tên máy hay địa chỉ IP: {found}",
        "not the name or the IP address of a machine: {found}",
    ),
    "config.ip": Sentence("không phải địa chỉ IP: {found}", "not an IP address: {found}"),
    "config.page_url": Sentence(
        "hãy viết địa chỉ trang như https://portal.example.vn/login (chữ có dấu viết dạng %)",
        "write the address of a page like https://portal.example.vn/login (other letters as %)",
    ),
    "config.page_url_secret": Sentence(
        "không ghi tên hay mật khẩu trong địa chỉ trang",
        "no user or password in the address of a page",
    ),
    "config.page_path": Sentence(
        "phải bắt đầu bằng / và chỉ có chữ không dấu: {found}",
        "must begin with / and have no letters beyond ASCII: {found}",
    ),
    "config.percent": Sentence(
        "không phải phần trăm: {found}; hãy viết như 99.5%",
        "not a percentage: {found}; write it like 99.5%",
    ),
    "config.objective": Sentence(
        "mục tiêu phải từ 50% đến dưới 100%: {found}",
        "an objective is from 50% to below 100%: {found}",
    ),
    "config.short_duration": Sentence(
        "không phải khoảng thời gian ngắn: {found}; hãy viết như 150ms, 2s",
        "not a short duration: {found}; write it like 150ms, 2s",
    ),
    "config.probe_is_check": Sentence(
        "{name} là tên một phép kiểm tra máy; hãy đặt tên khác",
        "{name} is the name of a check of hosts; choose another",
    ),
    "config.circle": Sentence(
        "phụ thuộc vòng quanh: {circle}", "these depend on each other in a circle: {circle}"
    ),
    "config.timeout_interval": Sentence(
        "thời hạn dài hơn khoảng cách giữa hai lần hỏi (timeout > interval)",
        "one probe may take longer than the time between two (timeout > interval)",
    ),
    "config.objective_pages": Sentence(
        "mất vài lần hỏi là báo động ngay: mỗi giờ {probes} lần x phần được phép hỏng {budget} x "
        "14.4 = {lost} lần, cần ít nhất {least}; hãy hỏi dày hơn hoặc hạ mục tiêu",
        "a few lost probes would page: {probes} probes an hour x budget {budget} x 14.4 = {lost} "
        "failed ones, {least} at least are wanted; ask more often or lower the objective",
    ),
    "config.one_server": Sentence(
        "mỗi phép dò chỉ hỏi một máy chủ: không dùng service= hay nhiều host",
        "a probe asks one server: no service= and no list of hosts",
    ),
}

TABLE: dict[str, Sentence] = {
    **_FILE,
    **_SYNTAX,
    **_KINDS,
    **_OPTIONS,
    **_SECRETS,
    **_GROUND,
    **_PROBES,
}
