"""What playbooks say: what they found, and what each step is for."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "playbook.disk_full": Sentence("Đĩa đầy", "Disk full"),
    "playbook.disk_full.spared": Sentence(
        "{point} đầy; {bytes} ở đó là nhật ký và gói phần mềm cũ, bỏ được",
        "{point} is full; {bytes} there are journals and packages that can be spared",
    ),
    "playbook.disk_full.nothing": Sentence(
        "{point} đầy, và ở đó không có gì bỏ được mà không hỏi ai ({bytes})",
        "{point} is full, and nothing there can be spared without asking ({bytes})",
        "xem thư mục lớn nhất kèm theo; dời hoặc thêm đĩa",
        "look at the largest directories that are attached; move some, or add room",
    ),
    "playbook.disk_full.shrink_journal": Sentence(
        "thu nhật ký systemd còn {keep}", "shrink the journal of systemd to {keep}"
    ),
    "playbook.disk_full.clean_packages": Sentence(
        "xoá các gói apt đã tải về", "remove the packages that apt has downloaded"
    ),
}
