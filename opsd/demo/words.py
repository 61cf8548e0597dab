"""Invented words of an invented office: nobody and nothing in here exists."""

AGENCIES = (
    ("MAU-VP", "Văn phòng Ủy ban nhân dân tỉnh Mẫu"),
    ("MAU-XD", "Sở Xây dựng tỉnh Mẫu"),
    ("MAU-TC", "Sở Tài chính tỉnh Mẫu"),
    ("MAU-NM", "Sở Nông nghiệp và Môi trường tỉnh Mẫu"),
    ("MAU-TP", "Sở Tư pháp tỉnh Mẫu"),
    ("MAU-NV", "Sở Nội vụ tỉnh Mẫu"),
    ("MAU-YT", "Sở Y tế tỉnh Mẫu"),
    ("MAU-VD", "Ủy ban nhân dân xã Ví Dụ"),
    ("MAU-TN", "Ủy ban nhân dân phường Thử Nghiệm"),
)

PROCEDURES = (
    "Cấp giấy phép xây dựng nhà ở riêng lẻ",
    "Đăng ký thành lập hộ kinh doanh",
    "Đăng ký biến động quyền sử dụng đất",
    "Cấp bản sao trích lục hộ tịch",
    "Đăng ký khai sinh",
    "Đăng ký kết hôn",
    "Chứng thực bản sao từ bản chính",
    "Cấp phiếu lý lịch tư pháp",
    "Cấp giấy xác nhận tình trạng hôn nhân",
    "Hỗ trợ chi phí mai táng",
    "Cấp chứng chỉ hành nghề dược",
    "Thẩm định thiết kế phòng cháy và chữa cháy",
    "Tách thửa, hợp thửa đất",
    "Cấp đổi giấy chứng nhận quyền sở hữu nhà ở",
    "Đăng ký hoạt động nhóm thiện nguyện",
    "Xác nhận hưởng trợ cấp xã hội hằng tháng",
)

# The word "Mẫu" (sample) and a number stand where a person's own name would be.
FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ")
MIDDLES = ("Văn", "Thị", "Hữu", "Đức", "Ngọc", "Quỳnh", "Thành", "Minh")

PLACES = ("Thôn Ví Dụ", "Ấp Minh Hoạ", "Tổ dân phố Thử Nghiệm", "Bản Giả Định")
OFFICERS = ("Cán bộ Mẫu A", "Cán bộ Mẫu B", "Cán bộ Mẫu C", "Cán bộ Mẫu D", "Cán bộ Mẫu Đ")
PURPOSES = ("lần đầu", "cấp lại", "điều chỉnh", "gia hạn")

STATUSES = (
    "Mới tiếp nhận",
    "Đang xử lý",
    "Chờ bổ sung",
    "Đã có kết quả",
    "Đã trả kết quả",
)
NOTES = (
    "Hồ sơ đầy đủ thành phần, hẹn trả kết quả đúng hạn",
    "Chuyển phòng chuyên môn thẩm định",
    "Đề nghị công dân bổ sung bản quét rõ hơn",
    "Lãnh đạo đã ký số kết quả giải quyết",
    "Đã trả kết quả tại bộ phận một cửa",
)
