"""What one repository of a log lacks comes from another one, where no receiver has it any more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsd.model import Outcome
from opsd.tasks.wal.archive import Archive
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.mending import Mender
from opsd.tasks.wal.replaying import replay
from opsd.tasks.wal.shipping import Agreement, Shipper
from opsd.wal import Holdings, Segment, written
from tests.logs import (
    alone,
    finished,
    guarded,
    held_until_now,
    objects,
    spoil,
    sql,
    until,
    with_far,
)
from tests.meanwhile import meanwhile
from tests.site import Site

MAIN, FAR = "repository", "far"


@pytest.mark.usefixtures("listed_often")
def test_what_is_missing_or_damaged_in_one_repository_comes_from_the_other(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with guarded(with_far(site)) as (kit, log, heard):
        main, far = f"{log.subject}@main", f"{log.subject}@far"
        (old,) = segments(site, 1)
        before = objects(site, FAR)[old]
        lying = before.read_bytes()
        forget(log, old)
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
        gone, damaged, nowhere, *_ = segments(site, 5)
        forget(log, gone, damaged, nowhere)
        sealed = objects(site)[gone].read_bytes()

        # Deleted in one; what lies before the oldest base copy nobody needs.
        before.write_bytes(lying)
        objects(site).get(old, site.base / "dropped").unlink(missing_ok=True)
        objects(site)[gone].unlink()
        until(lambda: gone in finished(site), 60)
        until(lambda: heard.cause(main) == "", 60)
        assert objects(site)[gone].read_bytes() != sealed
        assert brought(caplog, gone, "main", "far")

        # Damaged in one: the night that finds it says so, whatever is done about it then.
        spoil(objects(site)[damaged])
        closing = replay(kit, log)
        assert closing.outcome is Outcome.FAILED
        told = {finding.key: finding.fields for finding in closing.findings}
        assert told["replay.damaged"]["names"] == [damaged]
        until(lambda: brought(caplog, damaged, "main", "far"), 60)
        until(lambda: heard.cause(main) == "", 60)

        # Deleted in both it is a gap, until it is in one of them again.
        lost = objects(site, FAR)[nowhere].read_bytes()
        for repository in (MAIN, FAR):
            objects(site, repository)[nowhere].unlink()
        until(lambda: heard.cause(main) == heard.cause(far) == "gap", 60)
        segment = Segment.of(nowhere)
        assert segment
        assert heard.results[main].fields["begin"] == written(segment.start())
        (objects(site, FAR)[gone].parent / nowhere).write_bytes(lost)
        until(lambda: heard.cause(main) == heard.cause(far) == "", 60)
        assert nowhere in finished(site)
        assert old in finished(site, FAR)
        assert old not in finished(site)


def segments(site: Site, count: int) -> list[str]:
    """Finish so many segments, and wait until both repositories have them."""
    names = []
    for _ in range(count):
        asked = "SELECT pg_walfile_name(pg_logical_emit_message(true, 'one', repeat('two', 9999)))"
        ((name,),) = sql(site, asked)
        sql(site, "SELECT pg_switch_wal()")
        names.append(name)
    until(lambda: set(names) <= set(finished(site)) & set(finished(site, FAR)))
    return names


def forget(log: Log, *names: str) -> None:
    """No receiver has these segments any more."""
    for directory in log.directories.values():
        for name in names:
            (directory / name).unlink()


def brought(caplog: pytest.LogCaptureFixture, name: str, to: str, where: str) -> bool:
    """Whether a person can read that a segment was brought, and from where."""
    wanted = f"{name} was missing or damaged in {to}, and was brought there from {where}"
    return any(wanted in one.getMessage() for one in caplog.records)


# ------------------------------------------------------------------- what keeps it from that


@dataclass(frozen=True, slots=True)
class Scene:
    """Two repositories, the first without a segment that no receiver has; nobody is at work."""

    site: Site
    log: Log
    lost: str
    newer: tuple[str, ...]  # whole in both, and not at the receivers either

    def parts(self, agreement: Agreement | None = None) -> tuple[Shipper, Mender]:
        """Who ships into the first, and who finds for it; what lies in both is known."""
        main, far = Shipper(self.log, "main", agreement), Shipper(self.log, "far")
        far.turn({})
        main.turn({})
        return main, Mender(self.log, main, [far])

    def is_brought(self, agreement: Agreement | None = None) -> bool:
        """Whether it is there after a turn of each."""
        main, mender = self.parts(agreement)
        mender.turn()
        main.turn({})
        there = self.lost in finished(self.site)
        assert there == (not main.shipped.gaps)
        return there

    def far(self, name: str) -> Path:
        """An object of the other repository."""
        return objects(self.site, FAR)[name]

    def seal_otherwise(self, name: str) -> None:
        """The other repository has a segment with another record at its end."""
        far, segment = Shipper(self.log, "far"), Segment.of(name)
        assert segment
        far.turn({})
        content = bytearray(far.archive().read(segment))
        content[len(content.rstrip(b"\0")) - 1] ^= 1
        far.archive().keep_whole(segment, bytes(content))

    def end_with_it(self) -> None:
        """The other repository has nothing behind the segment."""
        for name in self.newer:
            self.far(name).unlink()

    def silence(self) -> None:
        """The other repository does not answer."""
        place = self.far(self.lost).parent
        shutil.rmtree(place)
        place.touch()


FAULTS: Mapping[str, tuple[Callable[[Scene], object], bool]] = {
    "none": (lambda scene: None, True),
    "it is damaged there too": (lambda scene: spoil(scene.far(scene.lost)), False),
    "it was sealed with a bad record": (lambda scene: scene.seal_otherwise(scene.lost), False),
    "another history": (lambda scene: scene.seal_otherwise(scene.newer[-1]), False),
    "nothing newer is known to be the same": (Scene.end_with_it, False),
    "the newest is damaged": (lambda scene: spoil(scene.far(scene.newer[-1])), True),
    "nobody answers": (Scene.silence, False),
}


def test_nothing_is_brought_that_is_not_good_or_may_be_of_another_history(site: Site) -> None:
    with guarded(with_far(site)) as (_, log, _):
        _, lost, *newer = segments(site, 4)
    log = alone(site)
    fresh = log.directories["one"] / newer[-1]
    received = fresh.read_bytes()
    forget(log, lost, *newer)
    scene, lying = Scene(site, log, lost, tuple(newer)), objects(site)[lost]
    shutil.copytree(site.base / FAR, site.base / "good")
    for name, (fault, is_brought) in FAULTS.items():
        lying.unlink(missing_ok=True)
        shutil.rmtree(site.base / FAR)
        shutil.copytree(site.base / "good", site.base / FAR)
        fault(scene)
        assert scene.is_brought() is is_brought, name

    # What was found before it was agreed anew may be of what was left; without agreement nothing is
    # taken.
    shutil.rmtree(site.base / FAR)
    shutil.copytree(site.base / "good", site.base / FAR)
    assert not lying.exists()
    assert not scene.is_brought(Agreeing(anew=True, still=True))
    assert not scene.is_brought(Agreeing(anew=False, still=False))

    # One that hangs keeps nothing waiting that a receiver has.
    objects(site)[newer[-1]].unlink()
    main, mender = scene.parts()
    place = scene.far(lost)
    place.unlink()
    os.mkfifo(place)
    with meanwhile(lambda _: mender.turn()):
        fresh.write_bytes(received)
        main.turn({})
        assert finished(site)[-1] == newer[-1]
        place.write_bytes(b"")  # whoever waits for it goes on


@dataclass(frozen=True, slots=True)
class Agreeing:
    """What is agreed of a repository's history, and whether it holds for what was read since."""

    anew: bool
    still: bool

    def agree(self, repository: str, archive: Archive) -> Holdings | None:
        del repository
        return archive.holdings() if self.anew else None

    def still_agreed(self, repository: str) -> bool:
        del repository
        return self.still
