"""What checks of a machine besides its disks say."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "check.memory.enough": Sentence(
        "còn {available} bộ nhớ ({percent} %)", "{available} of memory available ({percent} %)"
    ),
    "check.memory.memory_low": Sentence(
        "chỉ còn {available} bộ nhớ ({percent} %)",
        "only {available} of memory available ({percent} %)",
        "xem tiến trình nào dùng nhiều: ps aux --sort=-rss | head",
        "see who uses it: ps aux --sort=-rss | head",
    ),
    "check.memory.swapping": Sentence(
        "đang tráo bộ nhớ với đĩa: {pages} trang mỗi giây, còn {percent} % bộ nhớ",
        "swapping: {pages} pages a second, {percent} % of memory available",
        "xem tiến trình nào dùng nhiều: ps aux --sort=-rss | head",
        "see who uses it: ps aux --sort=-rss | head",
    ),
    "check.memory.oom_kill": Sentence(
        "nhân đã dừng {kills} tiến trình trong {within} qua vì hết bộ nhớ",
        "the kernel killed {kills} processes in the last {within} for want of memory",
        "xem là tiến trình nào: dmesg | grep -i 'killed process'",
        "see which: dmesg | grep -i 'killed process'",
    ),
    "check.temperature": Sentence(
        "{sensor}: {celsius} °C (giới hạn {high} và {critical})",
        "{sensor}: {celsius} °C (limits {high} and {critical})",
    ),
    "check.boot.up": Sentence("chạy từ {at}, được {up}", "up since {at}, for {up}"),
    "check.boot.restarted": Sentence(
        "vừa khởi động lại lúc {at}, cách đây {up}",
        "it restarted at {at}, {up} ago",
        "xem vì sao: last -x | head; journalctl -b -1 -n 50",
        "see why: last -x | head; journalctl -b -1 -n 50",
    ),
    "check.units.well": Sentence("không unit nào hỏng", "no unit has failed"),
    "check.units.failed": Sentence(
        "{count} unit hỏng: {units}",
        "{count} units have failed: {units}",
        "xem: systemctl status TÊN; chạy lại: systemctl restart TÊN",
        "see: systemctl status NAME; start again: systemctl restart NAME",
    ),
    "check.units.active": Sentence("{unit}: {state}, đang chạy", "{unit}: {state}"),
    "check.units.unit_starting": Sentence(
        "{unit}: đang khởi động, {state}", "{unit}: starting, {state}"
    ),
    "check.units.unit_down": Sentence(
        "{unit}: không chạy, {state}",
        "{unit}: is not running, {state}",
        "xem: journalctl -u {unit} -n 50; chạy lại: systemctl restart {unit}",
        "see: journalctl -u {unit} -n 50; start again: systemctl restart {unit}",
    ),
    "check.units.unit_missing": Sentence(
        "{unit}: máy không có unit này",
        "{unit}: there is no such unit on the host",
        "xem tên có đúng không: systemctl list-unit-files",
        "see whether the name is right: systemctl list-unit-files",
    ),
    "check.clock.right": Sentence(
        "lệch {off} so với opsd, giữ bởi: {by}", "{off} from opsd's clock, kept by: {by}"
    ),
    "check.clock.clock_off": Sentence(
        "đồng hồ lệch {off}, giữ bởi: {by}",
        "the clock is off by {off}, kept by: {by}",
        "xem cả đồng hồ của máy chạy opsd; đồng bộ ngay: chronyc makestep",
        "look at the clock of opsd's machine too; set it at once: chronyc makestep",
    ),
    "check.clock.clock_not_kept": Sentence(
        "đồng hồ chưa được máy chủ thời gian nào giữ ({by}), lệch {off}",
        "no time server keeps the clock ({by}), off by {off}",
        "xem: timedatectl; chronyc sources",
        "see: timedatectl; chronyc sources",
    ),
    "check.certificates.valid": Sentence(
        "{file}: còn hạn {left}, đến {ends}", "{file}: good for {left}, until {ends}"
    ),
    "check.certificates.certificate_expires": Sentence(
        "{file}: còn {left} là hết hạn ({ends})",
        "{file}: expires in {left} ({ends})",
        "gia hạn chứng thư, thay tệp, rồi tải lại dịch vụ dùng nó",
        "renew the certificate, replace the file, and reload what uses it",
    ),
    "check.certificates.certificate_expired": Sentence(
        "{file}: đã hết hạn cách đây {left} ({ends})",
        "{file}: expired {left} ago ({ends})",
        "gia hạn chứng thư, thay tệp, rồi tải lại dịch vụ dùng nó",
        "renew the certificate, replace the file, and reload what uses it",
    ),
    "check.certificates.certificate_not_yet": Sentence(
        "{file}: chưa đến ngày có hiệu lực ({begins})",
        "{file}: not valid before {begins}",
        "xem đồng hồ của máy, hoặc dùng chứng thư đang có hiệu lực",
        "look at the clock of the host, or use the certificate that is valid now",
    ),
    "check.certificates.certificate_unreadable": Sentence(
        "{file}: không đọc được chứng thư nào",
        "{file}: no certificate can be read in it",
        "xem tệp có đó không, có phải PEM không, và người dùng opsd có được đọc không",
        "see whether it is there, is PEM, and may be read by the user opsd",
    ),
    "check.certificates.key_kept": Sentence(
        "{file}: quyền {mode}, chủ {owner}", "{file}: mode {mode}, owner {owner}"
    ),
    "check.certificates.key_exposed": Sentence(
        "{file}: quyền {mode} quá rộng, chủ {owner}",
        "{file}: mode {mode} is too wide, owner {owner}",
        "thu hẹp: chmod 600 {file}; nếu người khác đã đọc được thì thay khoá",
        "narrow it: chmod 600 {file}; if others could read it, replace the key",
    ),
    "check.certificates.key_unreadable": Sentence(
        "{file}: không xem được quyền của khoá",
        "{file}: its rights cannot be seen",
        "xem tệp có đó không, và người dùng opsd có vào được thư mục không",
        "see whether it is there, and whether the user opsd may enter the directory",
    ),
    "check.plugins.ok": Sentence("{plugin}: {said}", "{plugin} says: {said}"),
    "check.plugins.plugin_warning": Sentence(
        "{plugin}, cần xem: {said}", "{plugin}, warning: {said}"
    ),
    "check.plugins.plugin_critical": Sentence(
        "{plugin}, nguy cấp: {said}", "{plugin}, critical: {said}"
    ),
    "check.plugins.plugin_unknown": Sentence(
        "{plugin}, không rõ: {said}", "{plugin}, unknown: {said}"
    ),
    "check.plugins.plugin_timed_out": Sentence(
        "{plugin}: không xong trong {limit}",
        "{plugin}: did not end within {limit}",
        "chạy thử trên máy đó; nếu vốn lâu thì tăng `timeout`",
        "try it on the host; if it takes that long, raise its `timeout`",
    ),
    "check.plugins.plugin_missing": Sentence(
        "{plugin}: không chạy được (mã {code}): {said}",
        "{plugin}: cannot be run (code {code}): {said}",
        "xem đường dẫn trong `plugins.programs` và quyền chạy; cài: apt-get install "
        "monitoring-plugins-basic",
        "see the path in `plugins.programs` and its rights; install: apt-get install "
        "monitoring-plugins-basic",
    ),
    "check.plugins.plugin_garbage": Sentence(
        "{plugin}: trả lời không đúng kiểu Nagios (mã {code}): {said}",
        "{plugin}: does not answer as a Nagios plugin does (code {code}): {said}",
        "phép kiểm tra phải in một dòng và kết thúc với mã 0 đến 3",
        "a plugin prints a line and ends with a code from 0 to 3",
    ),
}
