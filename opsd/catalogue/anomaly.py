"""Sentences about runs that are unlike those before them."""

from opsd.catalogue.language import Sentence

_ACKNOWLEDGE = '`opsd retention acknowledge {set} --reason "..."`'
_LOOK = (
    "có thể là mã độc mã hoá dữ liệu, hoặc một đợt nhập liệu lớn: xem trước, rồi "
    + _ACKNOWLEDGE.format(set="BỘ"),
    "ransomware, or a large import: look first, then " + _ACKNOWLEDGE.format(set="SET"),
)

TABLE: dict[str, Sentence] = {
    "anomaly.changed": Sentence(
        "{member}: {percent} % số tệp đã đổi nội dung, bình thường {usual} % ({source})",
        "{member}: {percent} % of the files are others now, usual are {usual} % ({source})",
        *_LOOK,
    ),
    "anomaly.new": Sentence(
        "{member}: {percent} % số tệp là tệp mới, bình thường {usual} % ({source})",
        "{member}: {percent} % of the files are new, usual are {usual} % ({source})",
        *_LOOK,
    ),
    "anomaly.grew": Sentence(
        "{member}: dung lượng tăng {percent} % so với lần trước, bình thường {usual} % ({source})",
        "{member}: it grew by {percent} % since the last time, usual are {usual} % ({source})",
        *_LOOK,
    ),
    "anomaly.shrank": Sentence(
        "{member}: dung lượng giảm {percent} % so với lần trước, bình thường {usual} % ({source})",
        "{member}: it shrank by {percent} % since the last time, usual are {usual} % ({source})",
        *_LOOK,
    ),
    "anomaly.fewer": Sentence(
        "{member}: số tệp giảm {percent} % so với lần trước, bình thường {usual} % ({source})",
        "{member}: {percent} % fewer files than the last time, usual are {usual} % ({source})",
        *_LOOK,
    ),
    "anomaly.replaced": Sentence(
        "{member}: {percent} % số tệp không còn, thay vào đó là tệp tên khác, bình thường"
        " {usual} % ({source})",
        "{member}: instead of {percent} % of the files there are others of other names, usual are"
        " {usual} % ({source})",
        *_LOOK,
    ),
    "anomaly.emptied": Sentence(
        "{member}: số dòng giảm {percent} % so với lần trước, bình thường {usual} % ({source})",
        "{member}: {percent} % fewer rows than the last time, usual are {usual} % ({source})",
        *_LOOK,
    ),
    "anomaly.dense": Sentence(
        "{member}: dữ liệu mới nén còn {percent} %, bình thường {usual} % ({source}): dữ liệu mới"
        " không còn nén được",
        "{member}: new data compresses to {percent} %, usual are {usual} % ({source}): it is of"
        " another kind",
        *_LOOK,
    ),
    "anomaly.scrambled": Sentence(
        "{member}: {percent} % số tệp mới đổi được lấy mẫu chỉ chứa dữ liệu ngẫu nhiên, như đã bị"
        " mã hoá",
        "{member}: {percent} % of the sampled files that changed hold noise, as if encrypted",
        *_LOOK,
    ),
    "anomaly.not_sampled": Sentence(
        "{member}: không lấy mẫu được các tệp đã đổi: {why}",
        "{member}: the files that changed could not be sampled: {why}",
    ),
    "check.backup_data": Sentence(
        "{set}: dữ liệu sao lưu khác thường; việc loại bỏ điểm cũ đang đóng băng",
        "{set}: what was backed up is unusual; retention is frozen",
        "xem `opsd status {set}` và `opsd retention plan {set}` trước khi xác nhận",
        "see `opsd status {set}` and `opsd retention plan {set}` before acknowledging",
    ),
    "label.data": Sentence("Dữ liệu", "Data"),
}
