"""What is told of a message that could not be sent."""

from pathlib import Path

import pytest

from opsd.drivers.notify.post import Place, ping
from opsd.errors import ChannelFailed


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://hc.example.vn/s3cret and more", ""),
        ("https://hc.example.vn/ping", "s3cret\nand more"),
        ("https://[hc.example.vn/s3cret", ""),
    ],
)
def test_a_secret_that_cannot_be_sent_is_not_told(tmp_path: Path, url: str, token: str) -> None:
    file = tmp_path / "token"
    file.write_text(token)
    with pytest.raises(ChannelFailed) as caught:
        ping(Place(url, 1.0, token_file=file if token else None))
    assert caught.value.reason == "protocol"
    assert "s3cret" not in f"{caught.value} {caught.value.detail}"
    assert caught.value.__suppress_context__
