"""The binary log of a MariaDB server: received, kept, and replayed to any moment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsd.binlog import Spot
from opsd.daemon.wal import Wardens
from opsd.drivers.mariadb import binlog
from opsd.drivers.mariadb.server import Server
from opsd.errors import RepositoryDamaged, UsageError, WrongPassword
from opsd.model import CheckResult, Outcome, Status
from opsd.tasks.backup import back_up
from opsd.tasks.binlog.bases import DATA, take_base
from opsd.tasks.binlog.recovering import Goal, plan, recovered
from opsd.tasks.binlog.replaying import replay
from opsd.tasks.binlog.stream import ASIDE, Stream, streams_of
from opsd.tasks.check.notebook import Answers
from opsd.tasks.keys import Keys
from opsd.tasks.kit import Kit
from tests.fees import LIVING, NAME, Fees, fees
from tests.incidents import eventually
from tests.site import SET

pytestmark = pytest.mark.xdist_group("mariadb")

HELD = "opsd_wal_repository_held_timestamp_seconds"
FORETOLD = "opsd_wal_recovery_predicted_duration_seconds"


class Watched:
    """What the wardens told last, by what it is about."""

    def __init__(self) -> None:
        self.results: dict[str, CheckResult] = {}

    def take(self, answers: Answers) -> None:
        self.results = {result.subject: result for result in answers.results}

    def status(self, subject: str) -> Status | None:
        found = self.results.get(subject)
        return found.status if found else None

    def cause(self, subject: str) -> str:
        found = self.results.get(subject)
        return found.cause if found else ""

    def metrics(self, subject: str) -> set[str]:
        return {one.metric for one in self.results[subject].measurements}


@contextmanager
def warded(made: Fees) -> Iterator[tuple[Kit, Stream, Watched]]:
    """The log received and shipped while the block lasts."""
    watched = Watched()
    with made.kit() as kit:
        wardens = Wardens(kit, watched.take)
        wardens.adopt(kit.config)
        try:
            yield kit, streams_of(kit, SET)[0], watched
        finally:
            wardens.close()


@pytest.fixture
def living() -> Iterator[Fees]:
    with fees() as made:
        made.changes = {
            "binlog": {
                "directory": str(made.base / "binlog"),
                "ship_every": "1s",
                "min_free": "1MiB",
            }
        }
        yield made


def rows_of(data: Path) -> list[int]:
    """What a recovered server has, started where it lies."""
    server = Server(data.parent, {**LIVING, "skip_grant_tables": "ON"})
    server.start()
    try:
        return [int(n) for (n,) in server.database(NAME).ask("SELECT n FROM empty_one ORDER BY n;")]
    finally:
        server.stop(signal.SIGKILL)


def everything_kept(stream: Stream, watched: Watched) -> Callable[[], bool]:
    """Whether the repository has what the server has written by now."""
    end = binlog.logged(stream.database).end
    asked = datetime.now(UTC)

    def kept() -> bool:
        found = watched.results.get("dossiers/fees@main")
        at = found.fields["at"] if found else "-"
        return isinstance(at, datetime) and at >= asked and end is not None

    return kept


def opsd(made: Fees, *words: str) -> dict[str, Any]:
    """What a command says."""
    argv = [sys.executable, "-m", "opsd", *words, "--json", "--config", str(made.config_file)]
    done = subprocess.run(argv, capture_output=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def second_passes() -> datetime:
    """Wait for the next second; gives the one that is over."""
    now = datetime.now(UTC)
    while datetime.now(UTC).replace(microsecond=0) == now.replace(microsecond=0):
        time.sleep(0.02)
    return now


def test_a_burnt_server_comes_back_to_any_moment_though_its_receiver_died_before(
    living: Fees,
) -> None:
    base = living.base
    with warded(living) as (kit, stream, watched):
        living.execute("INSERT INTO empty_one VALUES (1);")
        _nothing_without_a_base_copy(watched)
        assert take_base(kit, stream).outcome is Outcome.SUCCEEDED
        living.execute("INSERT INTO office VALUES (3, 'Một cửa xã Mới');")
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        _receiver_dies(stream, watched)
        living.execute("INSERT INTO empty_one VALUES (2);")
        first = second_passes()
        living.execute("FLUSH BINARY LOGS; INSERT INTO empty_one VALUES (3);")
        spot = binlog.logged(stream.database).end
        living.execute("CREATE USER later@localhost; FLUSH BINARY LOGS; DROP TABLE empty_one;")
        living.execute("CREATE TABLE empty_one (n INT); INSERT INTO empty_one VALUES (4), (5);")
        eventually(everything_kept(stream, watched), "the repository has it all", 60)
        assert HELD in watched.metrics("dossiers/fees@main")
        assert watched.status("dossiers/fees/here") is Status.OK
        played = replay(kit, stream)
        assert (played.outcome, played.findings) == (Outcome.PASSED, ())
        told = kit.store.evidence(played.run, "replayed")
        assert told is not None
        assert (told["tables"], told["rows"]) == (5, 2007)
        _invariants_are_asked(kit)
        eventually(lambda: _foretold(watched) > 0, "a recovery to now is foretold", 60)
        moved, took = told["base_bytes"] + told["wal_bytes"], sum(told["seconds"].values())
        foretold = _foretold(watched) * moved / max(took, 1)
        planned = plan(stream, Goal(), base / "planned")
        assert foretold == pytest.approx(planned.base.bytes + planned.log_bytes)
        os.kill(living.server.pid, signal.SIGKILL)
        shutil.rmtree(living.server.data)
        eventually(
            lambda: watched.status("dossiers/fees/here") is Status.UNKNOWN, "it is not known", 60
        )
    shutil.rmtree(base / "binlog")  # and the machine that received it: the repository is enough
    with living.kit() as kit:
        (stream,) = streams_of(kit, SET)
        told = opsd(living, "recover", SET, "--to", "now", "--target", str(base / "now"))
        assert told["recovered"]["good"] is True
        assert told["plan"]["files"][-1] == "fees-log.000003"
        assert rows_of(base / "now" / DATA) == [4, 5]
        assert len(opsd(living, "wal", "bases", SET)["bases"][stream.subject]) == 1
        for name, goal, expected in (
            ("first", Goal(time=first), [1, 2]),
            ("spot", Goal(spot=spot), [1, 2, 3]),
        ):
            with recovered(kit, plan(stream, goal, base / name)) as (_, server):
                found = server.database(NAME).ask("SELECT n FROM empty_one ORDER BY n;")
                assert [int(n) for (n,) in found] == expected
        _behind_the_log(stream, base / "none")
        for piece in (base / "repository").rglob("fees-log.000002.*"):
            piece.unlink()
        with pytest.raises(RepositoryDamaged) as caught:
            plan(stream, Goal(spot=spot), base / "none")
        assert caught.value.key == "binlog.gap_before"
        cut = plan(stream, Goal(), base / "none")
        assert [found.key for found in cut.findings] == ["binlog.gap_behind"]
        _new_password(living, kit)


def _nothing_without_a_base_copy(watched: Watched) -> None:
    """However much of the log is there: it could be replayed onto nothing."""
    eventually(lambda: watched.cause("dossiers/fees@main") == "no_base", "no base copy", 60)
    assert not watched.metrics("dossiers/fees@main") & {HELD, FORETOLD}


def _invariants_are_asked(kit: Kit) -> None:
    """Of the replayed server, as of one that a dump was loaded into."""
    mine = kit.backup_set(SET)
    never = mine.prove.invariants[0].model_copy(update={"name": "never", "query": "SELECT 1"})
    prove = mine.prove.model_copy(update={"invariants": (never,)})
    sets = {SET: mine.model_copy(update={"prove": prove})}
    other = replace(kit, config=kit.config.model_copy(update={"backup_sets": sets}))
    closing = replay(other, streams_of(other, SET)[0])
    assert [found.key for found in closing.findings] == ["proof.invariant_broken"]
    assert closing.outcome is Outcome.FAILED


def _behind_the_log(stream: Stream, target: Path) -> None:
    """What the log does not lead to is refused; where it ends before a moment is told."""
    ends = plan(stream, Goal(), target).log.end
    assert ends is not None
    for key, beyond in (
        ("binlog.beyond", Goal(spot=replace(ends, offset=ends.offset + 1))),
        ("recover.future", Goal(time=datetime.now(UTC) + timedelta(days=1))),
    ):
        with pytest.raises(UsageError) as refused:
            plan(stream, beyond, target)
        assert refused.value.key == key
    idle = plan(stream, Goal(time=datetime.now(UTC)), target)
    assert [found.key for found in idle.findings] == ["binlog.ends"]


def _foretold(watched: Watched) -> float:
    """Seconds that a recovery to now may take, as the watch was told; 0 while it was not."""
    told = watched.results["dossiers/fees@main"].measurements
    return next((one.value for one in told if one.metric == FORETOLD), 0)


def _new_password(made: Fees, kit: Kit) -> None:
    """The keys of the log go with the password of the repository."""
    password, old = made.base / "password", made.base / "old"
    password.rename(old)
    password.write_text("another one\n")
    password.chmod(0o600)
    with pytest.raises(WrongPassword):
        Keys(kit, "main").insist()
    told = opsd(made, "wal", "rekey", SET, "--old-password-file", str(old))
    assert told["repositories"] == ["main"]
    Keys(kit, "main").insist()


def _receiver_dies(stream: Stream, watched: Watched) -> None:
    """It is started again, and what it had of the newest file stays until it has as much."""
    eventually(everything_kept(stream, watched), "it is kept", 60)
    newest = max(path for path in stream.directory.iterdir())
    content = newest.read_bytes()
    os.kill(_receiver(stream.directory), signal.SIGKILL)
    aside = newest.with_name(newest.name + ASIDE)
    eventually(lambda: aside.exists() and newest.exists(), "it is received anew", 60)
    assert aside.read_bytes() == content
    eventually(lambda: newest.read_bytes()[: len(content)] == content, "as much as before", 60)


def _receiver(directory: Path) -> int:
    """The process that receives into a directory."""
    for found in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = found.read_bytes().split(b"\0")
        except OSError:
            continue
        if (
            argv[0].endswith(b"mariadb-binlog")
            and os.fsencode(f"--result-file={directory}/") in argv
        ):
            return int(found.parent.name)
    raise AssertionError("nobody receives")


def test_places_are_read_as_they_are_written() -> None:
    spot = Spot.of("fees-log.000003:1234")
    assert spot is not None
    assert str(spot) == "fees-log.000003:1234"
    assert Spot.of("16/B374D848") is None
