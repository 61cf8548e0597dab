"""What playbooks say of machines, services and the roads between them."""

from opsd.catalogue.language import Sentence

_HOSTS: dict[str, Sentence] = {
    "playbook.disk_slow": Sentence("Đĩa chậm", "Disk slow"),
    "playbook.disk_slow.who": Sentence(
        "{subject}: đang đọc ghi nhiều nhất là {names}",
        "{subject}: what reads and writes most is {names}",
    ),
    "playbook.disk_slow.nobody": Sentence(
        "{subject}: không tiến trình nào đọc ghi nhiều ({names})",
        "{subject}: no process reads or writes much ({names})",
        "nghi phần cứng hoặc máy chủ ảo hoá: xem pressure và errors kèm theo, opsd check",
        "suspect the hardware or the hypervisor: see pressure and errors attached, opsd check",
    ),
    "playbook.disk_slow.rebuilding": Sentence(
        "mảng RAID đang dựng lại: chậm cho tới khi xong",
        "an array is being rebuilt: slow until done",
    ),
    "playbook.disk_slow.errors": Sentence(
        "nhân báo lỗi vào ra: ổ đĩa có thể sắp hỏng",
        "the kernel tells of I/O errors: the disk may be dying",
        "sao lưu ngay, chuẩn bị ổ thay thế",
        "back up now, get a spare disk ready",
    ),
    "playbook.disk_slow.let_wait": Sentence(
        "cho {name} (tiến trình {pid}) nhường đĩa cho mọi việc khác",
        "let {name} (process {pid}) wait for everything else",
    ),
    "playbook.clock_skew": Sentence("Lệch giờ", "Clock skew"),
    "playbook.clock_skew.unknown": Sentence(
        "{host}: không biết dịch vụ giữ giờ có chạy không",
        "{host}: nobody knows whether a time service runs",
    ),
    "playbook.clock_skew.lost": Sentence(
        "{host}: dịch vụ giữ giờ đang chạy mà giờ vẫn lệch",
        "{host}: the time service runs, and the clock is off all the same",
        "xem máy chủ giờ có tới được không (sources kèm theo)",
        "see whether its time servers can be reached (sources attached)",
    ),
    "playbook.clock_skew.stopped": Sentence(
        "{host}: dịch vụ giữ giờ không chạy", "{host}: the time service does not run"
    ),
    "playbook.clock_skew.restart": Sentence(
        "khởi động lại dịch vụ giữ giờ", "start the time service anew"
    ),
    "playbook.host_unreachable": Sentence("Máy không tới được", "Host unreachable"),
    "playbook.host_unreachable.name": Sentence(
        "{host}: không tìm ra địa chỉ theo tên",
        "{host}: its name leads to no address",
        "xem máy chủ tên miền nội bộ",
        "look at the name servers here",
    ),
    "playbook.host_unreachable.silent": Sentence(
        "{host}: không trả lời gì cả, kể cả ping",
        "{host}: it answers nothing, not even pings",
        "xem nguồn điện, cáp mạng, cổng switch",
        "look at its power, its cable, its port",
    ),
    "playbook.host_unreachable.pings": Sentence(
        "{host}: trả lời ping, nhưng cổng SSH im lặng",
        "{host}: it answers pings, and its SSH port is silent",
        "máy treo hoặc tường lửa chặn: xem bảng điều khiển của máy",
        "it hangs, or a firewall drops: look at its console",
    ),
    "playbook.host_unreachable.refused": Sentence(
        "{host}: máy sống, sshd không nhận kết nối",
        "{host}: it lives, and its sshd takes no connection",
        "vào bằng bảng điều khiển, khởi động lại sshd",
        "log in at its console, start sshd",
    ),
    "playbook.host_unreachable.open": Sentence(
        "{host}: cổng SSH mở, mà không vào được: khoá, tài khoản hoặc máy quá tải",
        "{host}: its SSH port is open, and opsd does not get in: key, account, or it is overloaded",
        "opsd check --host {host}",
        "opsd check --host {host}",
    ),
    "playbook.host_unreachable.unknown": Sentence(
        "{host}: không nằm trong cấu hình, hoặc là máy này",
        "{host}: it is not in the configuration, or is this machine",
    ),
    "playbook.host_unreachable.others": Sentence(
        "cùng lúc không tới được: {names}; nghi mạng hoặc điện chung",
        "not reached at the same time: {names}; suspect the network or the power they share",
    ),
    "playbook.host_unreachable.cut_off": Sentence(
        "Alertmanager đã cắt bớt {count} cảnh báo: không ai biết còn máy nào khác im lặng",
        "Alertmanager left out {count} alerts: nobody knows which other hosts are silent",
    ),
    "playbook.host_unreachable.cycle": Sentence(
        "tắt rồi bật nguồn {host}, qua {via}: dữ liệu chưa ghi xuống đĩa sẽ mất",
        "take the power of {host} and give it back, via {via}: what it had not written is lost",
    ),
    "playbook.link_down": Sentence("Đứt đường truyền", "Link down"),
    "playbook.link_down.look": Sentence(
        "{name}: đường truyền hỏng; cấu hình không nói cách chuyển sang đường dự phòng",
        "{name}: the link is down; the configuration does not say how one changes over",
        "gọi nhà mạng; xem phép dò kèm theo",
        "call the carrier; see the probe that is attached",
    ),
    "playbook.link_down.already": Sentence(
        "{name}: đang đi đường dự phòng rồi", "{name}: traffic goes over the standby already"
    ),
    "playbook.link_down.unknown": Sentence(
        "{name}: không biết đang đi đường nào",
        "{name}: nobody knows over which link traffic goes",
    ),
    "playbook.link_down.both": Sentence(
        "{name}: đường dự phòng cũng không thông, chuyển không ích gì",
        "{name}: the standby does not carry either, changing over would not help",
        "gọi cả hai nhà mạng; nghi thiết bị chung",
        "call both carriers; suspect the device they share",
    ),
    "playbook.link_down.standby": Sentence(
        "{name}: đường chính hỏng, đường dự phòng thông: nên chuyển",
        "{name}: the main link is down, the standby carries: change over",
    ),
    "playbook.link_down.switch": Sentence(
        "{host}: chuyển sang đường dự phòng {standby}", "{host}: change over to {standby}"
    ),
    "playbook.certificate_expiring": Sentence("Chứng thư sắp hết hạn", "Certificate expiring"),
    "playbook.certificate_expiring.found": Sentence(
        "{host} {file}: chứng thư sắp hoặc đã hết hạn; xem ai cấp, dùng ở đâu kèm theo",
        "{host} {file}: the certificate ends soon, or has; attached: who issued it, what uses it",
    ),
    "playbook.certificate_expiring.renew": Sentence("gia hạn {file}", "renew {file}"),
    "playbook.certificate_expiring.reload": Sentence(
        "cho dịch vụ ở {serves} dùng chứng thư mới",
        "let the service at {serves} take the new one",
    ),
    "playbook.isolate_host": Sentence("Cô lập máy", "Isolate a host"),
    "playbook.isolate_host.no_way": Sentence(
        "{host}: opsd không vào được, không cô lập được từ đây",
        "{host}: opsd does not get in, it cannot be isolated from here",
        "tắt cổng của nó trên switch",
        "switch off its port at the switch",
    ),
    "playbook.isolate_host.found": Sentence(
        "{host}: cô lập sẽ cắt mọi người dùng; chỉ opsd còn vào "
        "được. Không tắt máy: bộ nhớ là chứng cứ",
        "{host}: everybody who uses it is cut off, opsd still "
        "comes in. Leave it on: memory is evidence",
    ),
    "playbook.isolate_host.isolate": Sentence(
        "cắt {host} khỏi mọi kết nối trừ opsd", "cut {host} off from everybody but opsd"
    ),
}
_SERVICES: dict[str, Sentence] = {
    "playbook.service.unknown": Sentence(
        "{name}: cấu hình của kịch bản không có mục này, hoặc không dò được",
        "{name}: the options of the playbook do not name it, or it could not be asked",
    ),
    "playbook.database_down": Sentence("Cơ sở dữ liệu ngừng", "Database down"),
    "playbook.database_down.crashed": Sentence(
        "{host}: PostgreSQL đã chết mà không ai dừng nó; nhật ký không báo hỏng dữ liệu",
        "{host}: PostgreSQL died, nobody stopped it, and its log tells of no damage",
    ),
    "playbook.database_down.stopped": Sentence(
        "{host}: có người đã dừng PostgreSQL; không tự khởi "
        "động lại (có thể là máy cũ của một cặp)",
        "{host}: somebody stopped PostgreSQL; it is not started (it may be the old half of a pair)",
        "hỏi người trực; chỉ khởi động khi biết máy nào đang là máy chính",
        "ask who is on duty; start it only when you know which one is the primary",
    ),
    "playbook.database_down.damaged": Sentence(
        "{host}: nhật ký PostgreSQL báo hỏng dữ liệu, cấu hình "
        "sai hoặc hết chỗ; không khởi động lại",
        "{host}: the log of PostgreSQL tells of damage, a wrong "
        "configuration or no room; not started",
        "giữ nguyên thư mục dữ liệu, sao nó ra trước mọi việc; opsd points",
        "keep the data directory as it is, copy it before anything else; opsd points",
    ),
    "playbook.database_down.no_room": Sentence(
        "{host}: đĩa dữ liệu của PostgreSQL đã đầy: khởi động lại cũng chết",
        "{host}: the disk of PostgreSQL's data is full: it would only die again",
        "lấy lại chỗ trước, không xoá gì trong pg_wal",
        "win back room first, remove nothing in pg_wal",
    ),
    "playbook.database_down.full": Sentence(
        "{host}: PostgreSQL hết kết nối; xem ai đang giữ kèm theo (sessions)",
        "{host}: PostgreSQL has no connection left; attached: who holds them (sessions)",
        "tìm ứng dụng giữ kết nối nhàn rỗi; không khởi động lại cơ sở dữ liệu",
        "find the application that holds idle ones; do not restart the database",
    ),
    "playbook.database_down.starting": Sentence(
        "{host}: PostgreSQL đang khởi động hoặc phục hồi: chờ, không ngắt",
        "{host}: PostgreSQL is starting or recovering: wait, do not interrupt it",
    ),
    "playbook.database_down.refused": Sentence(
        "{host}: PostgreSQL chạy và từ chối tài khoản của phép dò",
        "{host}: PostgreSQL runs, and refuses the probe's account",
        "xem pg_hba.conf và mật khẩu",
        "look at pg_hba.conf and the password",
    ),
    "playbook.database_down.reachable_there": Sentence(
        "{host}: PostgreSQL nhận kết nối ngay trên máy; từ ngoài thì "
        "không: mạng, tường lửa hoặc listen_addresses",
        "{host}: PostgreSQL takes connections on its own host, not from "
        "outside: network, firewall, listen_addresses",
    ),
    "playbook.database_down.unknown": Sentence(
        "{host}: không đủ thông tin để biết vì sao PostgreSQL ngừng: không làm gì",
        "{host}: too little is known of why PostgreSQL is down: nothing is done",
        "đọc nhật ký trên máy; opsd có đọc được tệp ấy không?",
        "read the log there; can opsd's account read that file?",
    ),
    "playbook.database_down.start": Sentence("khởi động PostgreSQL", "start PostgreSQL"),
    "playbook.replication_stuck": Sentence(
        "Nhân bản hoặc lưu nhật ký bị kẹt", "Replication or log archive stuck"
    ),
    "playbook.replication_stuck.log_unreachable": Sentence(
        "nhật ký {log} ({cause}): không hỏi được máy chủ cơ sở dữ liệu",
        "the log {log} ({cause}): its server cannot be asked",
    ),
    "playbook.replication_stuck.log_disk": Sentence(
        "nhật ký {log} ({cause}): hết chỗ ở nơi nhận",
        "the log {log} ({cause}): there is no room left where it is received",
        "thêm chỗ; phần đã vào mọi kho thì opsd tự bỏ",
        "give it room; what every repository has opsd removes by itself",
    ),
    "playbook.replication_stuck.log_went_back": Sentence(
        "nhật ký {log} ({cause}): máy chủ bị đưa về bản cũ mà không đổi dòng thời gian",
        "the log {log} ({cause}): the server was put back to an older copy without a new timeline",
        "dừng máy chủ ngay; từng bước: docs/wal.md, 'A server that was put back'",
        "stop it at once; step by step: docs/wal.md, 'A server that was put back'",
    ),
    "playbook.replication_stuck.log_slot_lost": Sentence(
        "nhật ký {log} ({cause}): khe nhân bản đã mất, nhật ký có chỗ hổng",
        "the log {log} ({cause}): a replication slot was lost, the log has a gap",
        "lấy ngay một bản nền mới: `opsd wal base BỘ`",
        "take a new base copy at once: `opsd wal base SET`",
    ),
    "playbook.replication_stuck.log_no_receiver": Sentence(
        "nhật ký {log} ({cause}): không nơi nào đang nhận",
        "the log {log} ({cause}): nobody receives it",
        "xem máy nhận và đường truyền; nơi nhận đã chết hoặc bị treo thì opsd ở máy đó tự chạy lại",
        "look at who receives and at the road; what died or hangs the opsd there starts again",
    ),
    "playbook.replication_stuck.log_too_few": Sentence(
        "nhật ký {log} ({cause}): ít nơi nhận hơn số mà giao dịch phải chờ",
        "the log {log} ({cause}): fewer receive it than commits wait for",
        "xem máy nhận và đường truyền của nơi còn thiếu",
        "look at who is missing, and at the road to it",
    ),
    "playbook.replication_stuck.log_weakened": Sentence(
        "nhật ký {log} ({cause}): một giá trị của máy chủ, vai trò hay cơ sở dữ liệu làm giao dịch"
        " kém an toàn",
        "the log {log} ({cause}): a setting of the server, a role or a database makes commits less"
        " safe",
        "`opsd wal status BỘ` nêu tên giá trị ấy; đặt lại là on",
        "`opsd wal status SET` names it; set it to on",
    ),
    "playbook.replication_stuck.log_unprotected": Sentence(
        "nhật ký {log} ({cause}): có nơi nhận, nhưng giao dịch không chờ chúng như cấu hình",
        "the log {log} ({cause}): it is received, but commits do not wait as configured",
        "`opsd wal setup BỘ --plan` cho biết cần đổi gì",
        "`opsd wal setup SET --plan` tells what to change",
    ),
    "playbook.replication_stuck.log_one_left": Sentence(
        "nhật ký {log} ({cause}): chỉ còn một phần số nơi nhận",
        "the log {log} ({cause}): some of its receivers are away",
    ),
    "playbook.replication_stuck.log_behind": Sentence(
        "nhật ký {log} ({cause}): có nơi nhận đang chậm lại phía sau hoặc bị treo",
        "the log {log} ({cause}): a receiver is far behind, or hangs",
        "xem ổ và đường truyền của nơi nhận ấy; nơi bị treo thì opsd ở máy đó tự chạy lại",
        "look at its disk and its road; what hangs the opsd there starts again",
    ),
    "playbook.replication_stuck.log_received": Sentence(
        "nhật ký {log} ({cause}): máy chủ gửi bình thường; xem kho và việc gửi vào kho",
        "the log {log} ({cause}): the server sends as it should; look at the repositories",
        "`opsd wal status BỘ`",
        "`opsd wal status SET`",
    ),
    "playbook.replication_stuck.unknown": Sentence(
        "máy chủ không cho biết vì sao; xem câu trả lời kèm theo",
        "the server does not tell why; see its answer attached",
    ),
    "playbook.replication_stuck.paused": Sentence(
        "có người đã tạm dừng việc áp dụng nhật ký trên máy dự phòng",
        "somebody paused the replay of this standby",
    ),
    "playbook.replication_stuck.no_receiver": Sentence(
        "máy dự phòng không nhận nhật ký từ máy chính",
        "the standby receives nothing from its primary",
        "xem máy chính, mạng, primary_conninfo, và slot còn không",
        "look at the primary, the road, primary_conninfo, and whether its slot is there",
    ),
    "playbook.replication_stuck.not_fed": Sentence(
        "không có máy dự phòng nào đang nhận nhật ký từ máy chủ này",
        "no standby receives the log from this server",
    ),
    "playbook.replication_stuck.archive": Sentence(
        "lưu nhật ký thất bại {count} lần, đang kẹt ở {segment}; pg_wal sẽ đầy dần",
        "archiving failed {count} times and is stuck at {segment}; pg_wal fills up",
        "xem nơi lưu còn chỗ và tới được không; không xoá gì trong pg_wal",
        "see whether its destination has room and can be reached; remove nothing in pg_wal",
    ),
    "playbook.replication_stuck.slot": Sentence(
        "slot {name} không ai dùng đang giữ lại {bytes} nhật ký",
        "the slot {name}, used by nobody, holds back {bytes} of log",
        "tìm máy dự phòng của nó; chỉ xoá slot khi máy ấy không còn nữa",
        "find its standby; drop the slot only when that is gone for good",
    ),
    "playbook.replication_stuck.resume": Sentence("tiếp tục áp dụng nhật ký", "resume the replay"),
    "playbook.web_down": Sentence("Cổng web ngừng", "Web front down"),
    "playbook.web_down.stopped": Sentence(
        "{host}: dịch vụ web không chạy ({cause})", "{host}: the web front does not run ({cause})"
    ),
    "playbook.web_down.wrong": Sentence(
        "{host}: dịch vụ web đang chạy nhưng trả lời sai ({cause}): khởi động lại chỉ che lỗi",
        "{host}: the web front runs and answers wrongly ({cause}): a restart would hide why",
        "xem nhật ký kèm theo, và dịch vụ đứng sau nó",
        "see the log attached, and what stands behind it",
    ),
    "playbook.web_down.no_room": Sentence(
        "{host}: đĩa đầy, dịch vụ web không chạy được ({cause})",
        "{host}: the disk is full, the web front cannot run ({cause})",
    ),
    "playbook.web_down.unknown": Sentence(
        "{host}: không biết dịch vụ web có chạy không ({cause})",
        "{host}: nobody knows whether the web front runs ({cause})",
    ),
    "playbook.web_down.start": Sentence("khởi động dịch vụ web", "start the web front"),
    "playbook.upstream_down": Sentence("Dịch vụ đối tác ngừng", "Partner's service down"),
    "playbook.upstream_down.theirs": Sentence(
        "lỗi ở phía {partner}: gửi thư nháp kèm theo tới {contact}",
        "the fault is {partner}'s: send the draft attached to {contact}",
    ),
    "playbook.upstream_down.unclear": Sentence(
        "chưa rõ lỗi phía nào; thư nháp cho {partner} ({contact}) kèm theo",
        "it is unclear whose fault it is; a draft for {partner} ({contact}) is attached",
    ),
    "playbook.upstream_down.ours": Sentence(
        "lỗi ở phía ta, không phải {partner}: chưa gửi gì tới {contact}",
        "the fault is ours, not {partner}'s: send nothing to {contact} yet",
    ),
    "playbook.upstream_down.road": Sentence(
        "đường truyền giữa ta và {partner} hỏng: gọi nhà mạng trước, rồi báo {contact}",
        "the road between us and {partner} is down: call the carrier first, then tell {contact}",
    ),
    "playbook.upstream_down.nobody": Sentence(
        "{partner} vừa trả lời lại: chưa cần báo {contact}",
        "{partner} answers again just now: no need to tell {contact}",
    ),
    "playbook.upstream_down.message": Sentence(
        "Kính gửi {partner} ({contact}),\n\n"
        "Từ {since} hệ thống của chúng tôi không dùng được dịch "
        "vụ {target}. Lỗi thấy được: {cause}.\n"
        "Mã sự cố phía chúng tôi: {incident}. Đề nghị quý đơn vị "
        "kiểm tra và cho biết thời gian khắc phục.\n\n"
        "Bằng chứng:\n{evidence}\n",
        "To {partner} ({contact}),\n\n"
        "Since {since} our system cannot use your service {target}. What is seen: {cause}.\n"
        "Our incident: {incident}. Please look into it and tell us when it will be mended.\n\n"
        "Evidence:\n{evidence}\n",
    ),
}
TABLE = {**_HOSTS, **_SERVICES}
