"""What checks of disks and filesystems say."""

from opsd.catalogue.language import Sentence

_FILESYSTEMS: dict[str, Sentence] = {
    "check.filesystems.room": Sentence(
        "{point}: còn trống {avail} ({percent} %), inode còn {files_percent} %",
        "{point}: {avail} free ({percent} %), {files_percent} % of the inodes",
    ),
    "check.filesystems.filesystem_full": Sentence(
        "{point}: chỉ còn trống {avail} ({percent} %)",
        "{point}: only {avail} free ({percent} %)",
        "tìm thư mục lớn nhất: du -xhd1 {point} | sort -h; nhật ký: journalctl --disk-usage",
        "find what is large: du -xhd1 {point} | sort -h; logs: journalctl --disk-usage",
    ),
    "check.filesystems.inodes_full": Sentence(
        "{point}: chỉ còn {files_percent} % inode, tức là quá nhiều tệp nhỏ",
        "{point}: only {files_percent} % of the inodes are left: too many small files",
        "tìm nơi có nhiều tệp nhất: du -x --inodes -d1 {point} | sort -n",
        "find where they are: du -x --inodes -d1 {point} | sort -n",
    ),
    "check.filesystems.filling_fast": Sentence(
        "{point}: cứ đầy như nửa giờ qua thì sau {left} là hết chỗ (còn {avail})",
        "{point}: full in {left} if it grows as in the last half hour ({avail} free)",
        "tìm tệp đang lớn nhanh: find {point} -xdev -mmin -30 -size +100M",
        "find what grows: find {point} -xdev -mmin -30 -size +100M",
    ),
    "check.filesystems.filling": Sentence(
        "{point}: theo đà những tuần qua, sau {left} là hết chỗ (còn {avail})",
        "{point}: full in {left} as the past weeks went ({avail} free)",
        "dọn bớt hoặc thêm dung lượng trước lúc đó",
        "tidy up or add room before that",
    ),
    "check.filesystems.readonly": Sentence(
        "{point}: trước đây ghi được, nay chỉ đọc",
        "{point}: it could be written to, now it is read-only",
        "nhân thường chuyển sang chỉ đọc khi ổ lỗi; xem: dmesg | grep -i -e ext4 -e xfs -e error",
        "the kernel does that when the disk fails; see: dmesg | grep -i -e ext4 -e xfs -e error",
    ),
    "check.filesystems.mount_hangs": Sentence(
        "{point}: không trả lời ({device})",
        "{point}: does not answer ({device})",
        "xem máy chủ của ổ mạng và đường tới đó; gỡ ra: umount -l {point}",
        "see the server of the network disk and the way there; take it off: umount -l {point}",
    ),
    "check.filesystems.mount_fails": Sentence(
        "{point}: trả lời bằng lỗi ({device})",
        "{point}: answers with an error ({device})",
        "gắn lại: umount {point}, rồi mount {point}",
        "mount it anew: umount {point}, then mount {point}",
    ),
    "check.filesystems.not_mounted": Sentence(
        "{point}: lẽ ra phải được gắn, nhưng không thấy",
        "{point}: should be mounted, and is not",
        "gắn vào: mount {point}; xem /etc/fstab và dmesg",
        "mount it: mount {point}; see /etc/fstab and dmesg",
    ),
}

_SPEED: dict[str, Sentence] = {
    "check.disk_latency.calm": Sentence(
        "{device}: mỗi lần đọc ghi chờ {wait} ms, hàng đợi {queue}",
        "{device}: reads and writes wait {wait} ms, queue {queue}",
    ),
    "check.disk_latency.disk_slow": Sentence(
        "{device}: mỗi lần đọc ghi chờ {wait} ms (thường là {usual} ms), hàng đợi {queue}",
        "{device}: reads and writes wait {wait} ms (usually {usual} ms), queue {queue}",
        "xem tiến trình nào đọc ghi nhiều: iotop -o, hoặc pidstat -d 5",
        "see who reads and writes: iotop -o, or pidstat -d 5",
    ),
    "check.disk_latency.disk_stuck": Sentence(
        "{device}: có yêu cầu đang chờ mà không yêu cầu nào xong",
        "{device}: requests wait, and none is done",
        "ổ hoặc đường tới ổ có thể đã hỏng; xem dmesg",
        "the disk or the way to it may be broken; see dmesg",
    ),
    "check.disk_latency.io_pressure": Sentence(
        "{percent} % thời gian mọi tiến trình đứng chờ ổ đĩa",
        "nobody got on for {percent} % of the time, for waiting for disks",
        "xem tiến trình nào đọc ghi nhiều: iotop -o, hoặc pidstat -d 5",
        "see who reads and writes: iotop -o, or pidstat -d 5",
    ),
    "check.disk_latency.no_pressure": Sentence(
        "{percent} % thời gian mọi tiến trình đứng chờ ổ đĩa",
        "nobody got on for {percent} % of the time, for waiting for disks",
    ),
    "check.disk_speed.usual": Sentence(
        "{volume}: đọc {read}/s, ghi {write}/s, chờ đọc {wait} µs, fsync {fsync} µs, như thường lệ",
        "{volume}: reads {read}/s, writes {write}/s, a read waits {wait} µs, an fsync {fsync} µs, "
        "as usual",
    ),
    "check.disk_speed.learning": Sentence(
        "{volume}: đọc {read}/s, ghi {write}/s, chờ đọc {wait} µs, fsync {fsync} µs; chưa đủ số "
        "lần đo để biết thế nào là thường lệ",
        "{volume}: reads {read}/s, writes {write}/s, a read waits {wait} µs, an fsync {fsync} µs; "
        "what is usual is not known yet",
    ),
    "check.disk_speed.reads_slower": Sentence(
        "{volume}: tốc độ đọc chỉ còn {percent} % so với thường lệ (lần này {read}/s)",
        "{volume}: reads at {percent} % of the usual speed (now {read}/s)",
        "xem RAID, SMART, và các máy khác dùng chung ổ",
        "look at RAID, SMART, and who else uses these disks",
    ),
    "check.disk_speed.writes_slower": Sentence(
        "{volume}: tốc độ ghi chỉ còn {percent} % so với thường lệ (lần này {write}/s)",
        "{volume}: writes at {percent} % of the usual speed (now {write}/s)",
        "xem RAID, pin của bộ nhớ đệm, SMART, và các máy khác dùng chung ổ",
        "look at RAID, the cache's battery, SMART, and who else uses these disks",
    ),
    "check.disk_speed.read_latency_worse": Sentence(
        "{volume}: mỗi lần đọc chờ lâu gấp {times} lần thường lệ (lần này {wait} µs)",
        "{volume}: a read waits {times} times as long as usual (now {wait} µs)",
        "xem RAID, SMART, và các máy khác dùng chung ổ",
        "look at RAID, SMART, and who else uses these disks",
    ),
    "check.disk_speed.fsync_slower": Sentence(
        "{volume}: fsync lâu gấp {times} lần thường lệ (lần này {fsync} µs); cơ sở dữ liệu sẽ "
        "chậm theo",
        "{volume}: an fsync takes {times} times as long as usual (now {fsync} µs); databases "
        "feel it",
        "xem pin của bộ nhớ đệm RAID, SMART, và các máy khác dùng chung ổ",
        "look at the battery of the RAID cache, SMART, and who else uses these disks",
    ),
    "check.disk_speed.not_measured": Sentence(
        "{volume}: đã lâu không đo được tốc độ",
        "{volume}: its speed has not been measured for long",
        "xem vì sao các lần đo bị bỏ qua: opsd checks",
        "see why the probes were skipped: opsd checks",
    ),
    "check.disk_speed.fio_missing": Sentence(
        "{volume}: máy không có fio nên không đo được tốc độ",
        "{volume}: there is no fio on the host, so that its speed is not known",
        "cài trên máy đó: apt-get install fio; hoặc bỏ ổ này khỏi `disk_speed.volumes`",
        "install it there: apt-get install fio; or take the volume out of `disk_speed.volumes`",
    ),
    "check.disk_speed.volume_gone": Sentence(
        "{volume}: không ghi được vào thư mục để đo",
        "{volume}: the directory to be tried cannot be written to",
        "xem thư mục trong `disk_speed.volumes` có đó không và ai được ghi",
        "see whether the directory in `disk_speed.volumes` is there, and who may write to it",
    ),
    "check.disk_speed.probe_failed": Sentence(
        "{volume}: fio không đo được",
        "{volume}: fio could not measure it",
        "chạy thử trên máy đó với --direct=1; tmpfs không đo được",
        "try it on the host with --direct=1; a tmpfs cannot be measured",
    ),
    "check.disk_speed.disk_stalls": Sentence(
        "{volume}: ổ chậm đến mức phép đo ba giây không xong",
        "{volume}: so slow that a probe of three seconds did not end",
        "xem RAID, SMART, dmesg, và các máy khác dùng chung ổ",
        "look at RAID, SMART, dmesg, and who else uses these disks",
    ),
    "check.disk_speed.skipped_window": Sentence(
        "{volume}: chưa đến giờ được đo; lần trước đọc {read}/s, ghi {write}/s",
        "{volume}: not the time to measure; last it read {read}/s, wrote {write}/s",
    ),
    "check.disk_speed.skipped_backup": Sentence(
        "{volume}: không đo vì đang sao lưu; lần trước đọc {read}/s, ghi {write}/s",
        "{volume}: not measured during a backup; last it read {read}/s, wrote {write}/s",
    ),
    "check.disk_speed.skipped_pressure": Sentence(
        "{volume}: không đo vì ổ đang bận; lần trước đọc {read}/s, ghi {write}/s",
        "{volume}: not measured, the disks are busy; last it read {read}/s, wrote {write}/s",
    ),
    "check.disk_speed.skipped_free_space": Sentence(
        "{volume}: không đo vì còn quá ít chỗ; lần trước đọc {read}/s, ghi {write}/s",
        "{volume}: not measured, too little room; last it read {read}/s, wrote {write}/s",
    ),
}

_HEALTH: dict[str, Sentence] = {
    "check.disk_errors.none": Sentence(
        "{device}: không có lỗi nào trong {within} qua", "{device}: no error in the last {within}"
    ),
    "check.disk_errors.io_errors": Sentence(
        "{device}: {errors} lỗi đọc ghi trong {within} qua",
        "{device}: {errors} errors of reading or writing in the last {within}",
        "xem dmesg; sao lưu ngay, rồi chuẩn bị thay ổ",
        "see dmesg; back up now, then make ready to replace the disk",
    ),
    "check.disk_errors.filesystem_errors": Sentence(
        "{device}: hệ thống tệp có {errors} lỗi trong {within} qua",
        "{device}: {errors} errors of its filesystem in the last {within}",
        "sao lưu ngay; kiểm tra bằng fsck khi đã gỡ ra",
        "back up now; run fsck when it is unmounted",
    ),
    "check.smart.healthy": Sentence(
        "{disk}: tốt, sector hỏng: {lost}, đã mòn {percent} %",
        "{disk}: healthy, lost sectors: {lost}, worn {percent} %",
    ),
    "check.smart.disk_failing": Sentence(
        "{disk}: tự báo sắp hỏng",
        "{disk}: says itself that it is failing",
        "sao lưu ngay và thay ổ",
        "back up now and replace the disk",
    ),
    "check.smart.disk_spare_low": Sentence(
        "{disk}: vùng dự phòng gần hết",
        "{disk}: its spare blocks run out",
        "sao lưu ngay và thay ổ",
        "back up now and replace the disk",
    ),
    "check.smart.disk_loses_sectors": Sentence(
        "{disk}: đã hỏng {lost} sector",
        "{disk}: {lost} sectors are lost",
        "theo dõi; nếu còn tăng thì thay ổ",
        "watch it; replace the disk if there are more",
    ),
    "check.smart.disk_worn": Sentence(
        "{disk}: đã dùng {percent} % tuổi thọ",
        "{disk}: {percent} % of its life is used up",
        "chuẩn bị ổ thay thế",
        "make ready to replace it",
    ),
    "check.smart.smart_silent": Sentence(
        "{disk}: không cho biết sức khoẻ",
        "{disk}: does not tell its health",
        "ổ sau card RAID cần kiểu riêng: đặt `smart.devices`, xem smartctl --scan; "
        "người dùng opsd cần quyền sudo cho smartctl",
        "behind a RAID controller it needs a type: set `smart.devices`, see smartctl --scan; "
        "the user opsd needs sudo for smartctl",
    ),
    "check.smart.smartctl_missing": Sentence(
        "{disk}: máy không có smartctl",
        "{disk}: there is no smartctl on the host",
        "cài trên máy đó: apt-get install smartmontools",
        "install it there: apt-get install smartmontools",
    ),
}

_ARRAYS: dict[str, Sentence] = {
    "check.raid.whole": Sentence(
        "{array}: đủ {working}/{wanted} ổ", "{array}: {working} of {wanted} disks"
    ),
    "check.raid.raid_inactive": Sentence(
        "{array}: không hoạt động",
        "{array}: is not active",
        "xem: mdadm --detail /dev/{array}, dmesg",
        "see: mdadm --detail /dev/{array}, dmesg",
    ),
    "check.raid.raid_degraded": Sentence(
        "{array}: chỉ còn {working}/{wanted} ổ, ổ hỏng: {failed}",
        "{array}: only {working} of {wanted} disks, failed: {failed}",
        "thay ổ rồi thêm vào: mdadm --manage /dev/{array} --add /dev/…",
        "replace the disk and add it: mdadm --manage /dev/{array} --add /dev/…",
    ),
    "check.raid.raid_rebuilding": Sentence(
        "{array}: đang dựng lại, được {percent} %, còn {working}/{wanted} ổ",
        "{array}: being rebuilt, {percent} % done, {working} of {wanted} disks",
        "đợi xong; đừng khởi động lại",
        "wait for the end; do not restart",
    ),
    "check.raid.raid_disk_failed": Sentence(
        "{array}: đủ ổ, nhưng ổ dự phòng {failed} đã hỏng",
        "{array}: whole, but its spare {failed} has failed",
        "thay ổ dự phòng",
        "replace the spare",
    ),
    "check.volumes.group": Sentence("nhóm {group}: đủ ổ", "group {group}: every disk is there"),
    "check.volumes.well": Sentence(
        "{volume}: đã dùng {percent} %, siêu dữ liệu {metadata_percent} %",
        "{volume}: {percent} % used, metadata {metadata_percent} %",
    ),
    "check.volumes.volume_disk_missing": Sentence(
        "nhóm {group}: thiếu ổ, số ổ không thấy: {missing}",
        "group {group}: disks that are not there: {missing}",
        "xem: pvs, dmesg",
        "see: pvs, dmesg",
    ),
    "check.volumes.volume_ill": Sentence(
        "{volume}: LVM báo {health}",
        "{volume}: LVM says {health}",
        "xem: lvs -a -o +lv_health_status, dmesg",
        "see: lvs -a -o +lv_health_status, dmesg",
    ),
    "check.volumes.pool_full": Sentence(
        "{volume}: vùng cấp phát đã dùng {percent} %; đầy thì mọi ổ trên đó không ghi được",
        "{volume}: the thin pool is {percent} % used; when it is full nothing on it can write",
        "mở rộng: lvextend -L+10G {volume}; hoặc dọn bớt rồi fstrim",
        "extend it: lvextend -L+10G {volume}; or tidy up, then fstrim",
    ),
    "check.volumes.pool_metadata_full": Sentence(
        "{volume}: siêu dữ liệu của vùng cấp phát đã dùng {metadata_percent} %",
        "{volume}: the metadata of the thin pool is {metadata_percent} % used",
        "mở rộng: lvextend --poolmetadatasize +256M {volume}",
        "extend it: lvextend --poolmetadatasize +256M {volume}",
    ),
    "check.volumes.snapshot_full": Sentence(
        "{volume}: bản chụp LVM đã dùng {percent} %; đầy thì mất bản chụp",
        "{volume}: the LVM snapshot is {percent} % used; when it is full it is lost",
        "xoá bản chụp không còn cần: lvremove {volume}",
        "remove a snapshot that is not needed: lvremove {volume}",
    ),
}

TABLE: dict[str, Sentence] = {**_FILESYSTEMS, **_SPEED, **_HEALTH, **_ARRAYS}
