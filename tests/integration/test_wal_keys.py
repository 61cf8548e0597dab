"""Keys of a log that are lost come back from their second copy, and are never made anew."""

from __future__ import annotations

from opsd.drivers import seal
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.shipping import Shipper
from tests.logs import guarded, objects, until, with_log
from tests.site import Site


def error_of(log: Log) -> str:
    """What keeps one who knows nothing from before from shipping."""
    shipper = Shipper(log, "main")
    shipper.turn({})
    return shipper.shipped.error


def test_keys_that_are_lost_are_not_made_anew_over_what_they_seal(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, _):
        until(lambda: objects(site))
        key = site.repository / "opsd-objects" / "wal" / "key.json"
        second, aside = kit.config.state / "wal" / "main.key.json", site.base / "aside"
        before = key.read_bytes()
        key.unlink()
        error_of(log)
        assert key.read_bytes() == before
        # Who has no second copy makes no new ones: what lies there could be opened by nobody.
        second.rename(aside)
        key.unlink()
        assert "are gone" in error_of(log)
        assert not key.exists()
        aside.rename(second)
        # Others in their place take nothing from the second copy.
        key.write_bytes(seal.new(site.base / "password")[1])
        error_of(log)
        assert [path.read_bytes() for path in second.parent.glob("main.key.json.*")] == [before]
        key.write_bytes(before)
        assert not error_of(log)
