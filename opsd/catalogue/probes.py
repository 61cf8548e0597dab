"""What probes of services say: the cause of a failure, and whose it is."""

from opsd.catalogue.language import Sentence

_RESULTS: dict[str, Sentence] = {
    "probe.good": Sentence("trả lời đúng trong {elapsed}", "answered rightly in {elapsed}"),
    "probe.slow": Sentence(
        "trả lời đúng nhưng chậm: {elapsed}, mức cho phép {limit}",
        "answered rightly but slowly: {elapsed}, tolerable is {limit}",
    ),
    "probe.certificate": Sentence(
        "chứng thư (hoặc chứng thư cấp trên) hết hạn lúc {ends}, còn {left}",
        "the certificate, or one above it, ends at {ends}, in {left}",
        "gia hạn, rồi cài cả chuỗi chứng thư lên máy chủ",
        "renew it, and install the whole chain on the server",
    ),
    "probe.blind": Sentence(
        "không dò được vì trở ngại trên chính máy này",
        "the probe could not be made: something on this machine is in the way",
        "xem chi tiết; thử: opsd probe TÊN --debug",
        "see the detail; try: opsd probe NAME --debug",
    ),
    "probe.link": Sentence(
        "mất {lost} % trong {sent} gói, trễ {delay} ms",
        "{lost} % of {sent} packets lost, {delay} ms",
    ),
    "probe.main_lost": Sentence(
        "đường chính hỏng, đang nhờ đường dự phòng",
        "the main link is out, the standby carries it",
        "báo nhà mạng của đường chính",
        "tell the operator of the main link",
    ),
    "probe.standby_lost": Sentence(
        "đường dự phòng hỏng: đường chính mà hỏng nữa là mất liên lạc",
        "the standby link is out: nothing is left should the main one fail",
        "báo nhà mạng của đường dự phòng",
        "tell the operator of the standby link",
    ),
}

_NAMES: dict[str, Sentence] = {
    "cause.dns_unknown": Sentence(
        "không có tên này trong DNS",
        "the name does not exist",
        "kiểm tra tên, và xem tên miền còn hạn không",
        "check the name, and whether the domain was renewed",
    ),
    "cause.dns_empty": Sentence(
        "tên có thật nhưng không có bản ghi loại được hỏi",
        "the name exists but has no such record",
    ),
    "cause.dns_timeout": Sentence(
        "máy chủ DNS không trả lời trong {seconds}",
        "the name servers did not answer within {seconds}",
        "xem /etc/resolv.conf và máy chủ DNS",
        "look at /etc/resolv.conf and at the name servers",
    ),
    "cause.dns_failed": Sentence("máy chủ DNS báo lỗi", "the name servers answered with an error"),
    "cause.answer_wrong": Sentence(
        "DNS trả lời khác điều phải có", "the answer is not the one that is expected"
    ),
}

_CONNECTIONS: dict[str, Sentence] = {
    "cause.connect_refused": Sentence(
        "{peer} từ chối kết nối: dịch vụ không chạy ở đó",
        "{peer} refused the connection: nothing listens there",
        "xem dịch vụ có đang chạy không",
        "see whether the service runs",
    ),
    "cause.connect_timeout": Sentence(
        "{peer} không trả lời kết nối trong {seconds}",
        "{peer} did not answer the connection within {seconds}",
        "máy đã tắt, đường truyền đứt, hoặc tường lửa chặn",
        "the machine is off, the road is cut, or a firewall drops it",
    ),
    "cause.connect_unreachable": Sentence(
        "không có đường tới {peer}",
        "there is no road to {peer}",
        "xem bảng định tuyến và đường truyền",
        "look at the routes and at the link",
    ),
    "cause.connect_reset": Sentence("{peer} cắt kết nối", "{peer} cut the connection"),
    "cause.tls_timeout": Sentence(
        "kết nối được nhưng không bắt tay TLS xong trong {seconds}",
        "connected, but no TLS handshake within {seconds}",
    ),
    "cause.tls_reset": Sentence(
        "kết nối bị cắt khi bắt tay TLS", "the connection was cut during the TLS handshake"
    ),
    "cause.tls_failed": Sentence(
        "không bắt tay TLS được: cổng đó không nói TLS, hoặc chỉ nói bản quá cũ",
        "no TLS handshake: the port speaks none, or only a version that is too old",
    ),
    "cause.tls_expired": Sentence(
        "chứng thư đã hết hạn",
        "a certificate has expired",
        "gia hạn, rồi cài lên máy chủ; nếu nhiều nơi cùng báo, xem đồng hồ máy này",
        "renew it; where several servers tell the same, look at the clock of this machine",
    ),
    "cause.tls_early": Sentence(
        "chứng thư chưa tới ngày có hiệu lực",
        "the certificate is not valid yet",
        "xem đồng hồ của máy này",
        "look at the clock of this machine",
    ),
    "cause.tls_name": Sentence(
        "chứng thư không phải cho tên này",
        "the certificate is for another name",
        "cài chứng thư của tên này lên máy chủ",
        "install the certificate of this name on the server",
    ),
    "cause.tls_self_signed": Sentence(
        "chứng thư tự ký",
        "the certificate is signed by itself",
        "nếu đúng là vậy, đưa nó vào ca_file",
        "if that is meant so, name it as ca_file",
    ),
    "cause.tls_incomplete": Sentence(
        "thiếu chứng thư trung gian: máy chủ chỉ gửi chứng thư của nó",
        "the chain is incomplete: the server sends its own certificate alone",
        "cài cả chuỗi chứng thư lên máy chủ; nơi cấp nội bộ thì đưa vào ca_file",
        "install the whole chain on the server; an authority of one's own goes into ca_file",
    ),
    "cause.tls_untrusted": Sentence(
        "không tin được nơi cấp chứng thư",
        "the authority that signed the certificate is not trusted",
        "nơi cấp nội bộ thì đưa vào ca_file",
        "an authority of one's own goes into ca_file",
    ),
}

_PAGES: dict[str, Sentence] = {
    "cause.send_timeout": Sentence(
        "kết nối được nhưng không có trả lời trong {seconds}",
        "connected, but no answer within {seconds}",
        "ứng dụng treo hoặc quá tải: xem nhật ký của nó",
        "the application hangs or is overloaded: see its log",
    ),
    "cause.send_reset": Sentence(
        "kết nối bị cắt trước khi có trả lời", "the connection was cut before an answer came"
    ),
    "cause.send_garbled": Sentence("trả lời không phải HTTP", "the answer is not HTTP"),
    "cause.status_wrong": Sentence(
        "mã trả lời sai", "the status code is wrong", "xem nhật ký của ứng dụng", "see its log"
    ),
    "cause.status_redirects": Sentence(
        "chuyển hướng quá nhiều lần, hoặc ra ngoài HTTP",
        "too many redirects, or one that leaves HTTP",
    ),
    "cause.content_timeout": Sentence(
        "trang không tới hết trong {seconds}", "the page did not come whole within {seconds}"
    ),
    "cause.content_reset": Sentence("trang bị cắt ngang", "the page was cut off"),
    "cause.content_garbled": Sentence("trang không đọc được", "the page cannot be read"),
    "cause.content_large": Sentence(
        "trang lớn hơn mức cho phép", "the page is larger than is tolerable"
    ),
    "cause.content_wrong": Sentence(
        "trang trả về không có chữ phải có",
        "the page lacks the text that must stand on it",
        "mở trang xem: có thể là trang khác, trang lỗi hoặc trang bảo trì",
        "open the page: it may be another, an error page, or one about maintenance",
    ),
    "cause.content_forbidden": Sentence(
        "trang có chữ không được có", "the page has text that must not stand on it"
    ),
}

_OTHERS: dict[str, Sentence] = {
    "cause.banner_timeout": Sentence(
        "kết nối được nhưng máy chủ SSH không lên tiếng trong {seconds}",
        "connected, but the SSH server said nothing within {seconds}",
    ),
    "cause.banner_reset": Sentence(
        "máy chủ SSH cắt kết nối ngay", "the SSH server cut the connection at once"
    ),
    "cause.banner_wrong": Sentence("cổng đó không nói SSH", "the port does not speak SSH"),
    "cause.key_timeout": Sentence(
        "không trao đổi khoá SSH xong trong {seconds}", "no SSH key exchange within {seconds}"
    ),
    "cause.key_reset": Sentence(
        "không trao đổi được khoá SSH, hoặc máy không có loại khoá đã biết",
        "no SSH key exchange, or the server lacks the kind of key that is known",
    ),
    "cause.key_unknown": Sentence(
        "chưa có khoá của máy này trong known_hosts", "known_hosts has no key of this host"
    ),
    "cause.key_changed": Sentence(
        "khoá SSH của máy đã đổi",
        "the SSH key of the host has changed",
        "hỏi người quản trị: nếu không ai đổi thì có kẻ đứng giữa",
        "ask its administrator: if nobody changed it, somebody stands between",
    ),
    "cause.login_timeout": Sentence(
        "không đăng nhập được PostgreSQL trong {seconds}", "no login to PostgreSQL within {seconds}"
    ),
    "cause.login_reset": Sentence(
        "PostgreSQL cắt kết nối khi đăng nhập", "PostgreSQL cut the connection during login"
    ),
    "cause.login_refused": Sentence(
        "PostgreSQL không cho đăng nhập",
        "PostgreSQL refuses the login",
        "xem tài khoản, mật khẩu và pg_hba.conf",
        "see the role, its password and pg_hba.conf",
    ),
    "cause.login_starting": Sentence(
        "PostgreSQL đang khởi động, tắt hoặc tự phục hồi",
        "PostgreSQL is starting, stopping or recovering",
    ),
    "cause.login_full": Sentence(
        "PostgreSQL hết chỗ kết nối",
        "PostgreSQL has no connection left",
        "xem ai giữ kết nối: pg_stat_activity",
        "see who holds them: pg_stat_activity",
    ),
    "cause.login_failed": Sentence("không đăng nhập được PostgreSQL", "no login to PostgreSQL"),
    "cause.query_timeout": Sentence(
        "câu hỏi mẫu không xong trong {seconds}", "the sample query did not end within {seconds}"
    ),
    "cause.query_reset": Sentence(
        "PostgreSQL cắt kết nối giữa câu hỏi", "PostgreSQL cut the connection during the query"
    ),
    "cause.query_failed": Sentence("câu hỏi mẫu bị lỗi", "the sample query failed"),
    "cause.query_empty": Sentence(
        "câu hỏi mẫu không trả về dòng nào", "the sample query returned no row"
    ),
    "cause.replication_timeout": Sentence(
        "không hỏi được tình trạng sao chép trong {seconds}",
        "the state of replication was not told within {seconds}",
    ),
    "cause.replication_reset": Sentence(
        "PostgreSQL cắt kết nối khi hỏi tình trạng sao chép",
        "PostgreSQL cut the connection when asked about replication",
    ),
    "cause.replication_failed": Sentence(
        "không hỏi được tình trạng sao chép", "the state of replication cannot be asked"
    ),
    "cause.replication_role": Sentence(
        "máy chủ đổi vai: máy chính thành dự phòng, hoặc ngược lại",
        "the server has changed its role between primary and standby",
    ),
    "cause.replication_stopped": Sentence(
        "máy dự phòng không nhận dữ liệu nữa",
        "the standby receives nothing any more",
        "xem nhật ký PostgreSQL của máy dự phòng",
        "see the standby's PostgreSQL log",
    ),
    "cause.replication_few": Sentence(
        "chỉ còn {standbys} máy dự phòng đang nhận", "only {standbys} standbys are fed"
    ),
    "cause.replication_late": Sentence("máy dự phòng chậm {lag}", "the standby is {lag} behind"),
    "cause.reply_none": Sentence(
        "không gói tin nào quay về",
        "no packet came back",
        "báo nhà mạng",
        "tell the operator of the link",
    ),
    "cause.reply_loss": Sentence(
        "mất {lost} % trong {sent} gói", "{lost} % of {sent} packets lost"
    ),
    "cause.reply_delay": Sentence(
        "trễ {delay} ms, mất {lost} % trong {sent} gói",
        "{delay} ms, {lost} % of {sent} packets lost",
    ),
}

TABLE: dict[str, Sentence] = {**_RESULTS, **_NAMES, **_CONNECTIONS, **_PAGES, **_OTHERS}
