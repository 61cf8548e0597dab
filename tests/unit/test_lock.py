"""Leases: one holder at a time, ended by the death of the holder."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.drivers import lock
from opsd.drivers.process import Stop
from opsd.errors import Cancelled
from tests.site import ROOT

HOLD = (
    "import sys, time; from pathlib import Path; from opsd.drivers.lock import lease\n"
    "with lease(Path(sys.argv[1]), 'another'): print('held', flush=True); time.sleep(60)"
)


def test_a_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "below" / "a.lock"
    with lock.lease(path, "the first"):
        assert lock.held(path)
        with pytest.raises(lock.Busy) as caught, lock.lease(path, "the second"):
            pass
        assert caught.value.holder.startswith("the first (pid ")
    assert not lock.held(path)
    with lock.lease(path, "the third") as waited:
        assert waited < timedelta(seconds=5)


def test_a_refusal_passes_through_other_contexts(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with lock.lease(path, "one"), pytest.raises(lock.Busy), lock.lease(tmp_path / "b.lock", "x"):  # noqa: SIM117
        with lock.lease(path, "two"):
            pass


def test_a_lease_nobody_made_is_not_held(tmp_path: Path) -> None:
    assert not lock.held(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_lease_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with subprocess.Popen(
        (sys.executable, "-c", HOLD, str(path)), cwd=ROOT, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert lock.held(path)
        holder.kill()
    assert not lock.held(path)
    with lock.lease(path, "next"):
        assert lock.held(path)


def test_one_who_waits_gets_it_when_it_is_free(tmp_path: Path) -> None:
    path, got = tmp_path / "a.lock", threading.Event()

    def wait() -> None:
        with lock.lease(path, "patient", wait=timedelta(seconds=20)):
            got.set()

    thread = threading.Thread(target=wait)
    with lock.lease(path, "first"):
        thread.start()
        assert not got.wait(0.3)
    assert got.wait(20)
    thread.join()


def test_a_lease_that_is_removed_at_its_end_is_made_anew_by_one_who_waits(tmp_path: Path) -> None:
    path, got, done = tmp_path / "a.lock", threading.Event(), threading.Event()

    def wait() -> None:
        with lock.lease(path, "patient", wait=timedelta(seconds=20)):
            got.set()
            done.wait(20)

    thread = threading.Thread(target=wait)
    with lock.lease(path, "first"):
        thread.start()
        assert not got.wait(0.3)
        path.unlink()
    assert got.wait(20)
    assert lock.held(path)
    done.set()
    thread.join()


def test_one_who_waits_may_be_stopped(tmp_path: Path) -> None:
    stop = Stop()
    with lock.lease(tmp_path / "a.lock", "first"):
        threading.Timer(0.2, stop.request).start()
        with (
            pytest.raises(Cancelled),
            lock.lease(tmp_path / "a.lock", "x", wait=timedelta(seconds=20), stop=stop),
        ):
            pass


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'"text"'])
def test_a_holder_that_wrote_nonsense_is_unknown(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with lock.lease(path, "first"):
        path.write_bytes(content)
        with pytest.raises(lock.Busy) as caught, lock.lease(path, "second"):
            pass
    assert caught.value.holder == "?"
