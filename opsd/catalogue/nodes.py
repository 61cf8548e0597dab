"""Sentences of nodes that share a history."""

from opsd.catalogue.language import Sentence

TABLE: dict[str, Sentence] = {
    "engine.name_taken": Sentence(
        "một nút opsd khác đang chạy với tên {name} trên {store}",
        "another node called {name} is alive on {store}",
        "đặt `host` khác cho từng nút; nếu nút kia đã chết, thử lại sau một phút",
        "give each node a `host` of its own; if the other one is dead, try again in a minute",
    ),
    "engine.given_up": Sentence(
        "nút này im lặng quá lâu: các nút khác đã nhận việc {work}",
        "this node was silent for too long: others go on with {work}",
        "xem kết nối tới lịch sử chung (`store`); nút tự trở lại khi kết nối có lại",
        "look at the way to the shared history (`store`); the node comes back by itself",
    ),
}
