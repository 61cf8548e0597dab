"""Reads as one script: what any shell prints is parsed, and what anybody forges is not."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsd.check import Answer, Read
from opsd.policy import gathering

NONCE = "5ca1ab1e"
READS = tuple(Read(name, ":") for name in ("a", "b", "c"))
SHELLS = {"dash": ("dash",), "bash": ("bash",), "ash": ("busybox", "ash")}

texts = st.text(st.sampled_from("x0 \n\x00\xff5ca1ab1e" + NONCE), max_size=60)


def printed(said: dict[int, tuple[str, int]], *, ended: bool = True) -> str:
    """What a script prints for these answers."""
    frames = [
        f"{NONCE} {number} {code} {len(text.encode())}\n{text}\n"
        for number, (text, code) in said.items()
    ]
    begun = f"{NONCE} begin 1700000000.25 10.50 10.50\n"
    return "".join((begun, *frames, f"{NONCE} end 11.00\n" if ended else ""))


def parsed(text: str) -> gathering.Printed:
    found = gathering.parse(text, READS, NONCE)
    assert found is not None
    return found


@given(st.dictionaries(st.integers(0, 2), st.tuples(texts, st.integers(0, 255))), texts)
def test_answers_come_back_as_they_were_said(said: dict[int, tuple[str, int]], noise: str) -> None:
    found = parsed(f"{noise}\n{printed(said)}")
    for number, read in enumerate(READS):
        text, code = said.get(number, ("", None))
        assert found.answers[read.name] == Answer(text + "\n" if text else "", code)
    assert found.lasted == timedelta(seconds=0.5)
    assert found.at == datetime.fromtimestamp(1700000000.25, UTC)


@given(st.dictionaries(st.integers(0, 2), st.tuples(texts, st.just(0))), st.data())
def test_what_was_cut_off_is_missing_and_nothing_else(
    said: dict[int, tuple[str, int]], data: st.DataObject
) -> None:
    whole = printed(said)
    cut = data.draw(st.integers(whole.index("\n") + 1, len(whole)))
    found = parsed(whole[:cut])
    assert (found.lasted is None) is (cut < len(whole))
    for number, read in enumerate(READS):
        text, code = said.get(number, ("", None))
        true = Answer(text + "\n" if text else "", code)
        assert found.answers[read.name] in {true, Answer("", None)}


@pytest.mark.parametrize("text", ["", "login refused\n", f"{NONCE}\n", f"x {NONCE} begin 1 1 1\n"])
def test_a_script_that_did_not_begin_gave_no_answers(text: str) -> None:
    assert gathering.parse(text, READS, NONCE) is None


@pytest.mark.parametrize(
    ("said", "at", "within"),
    [
        ("1700000000.123456789", 1700000000.123456789, 0.01),
        ("1700000000.%N", 1700000000.5, 0.5),
        ("1700000000", 1700000000.5, 0.5),
        ("never", None, 0.0),
        ("99999999999999999999", 99999999999.5, 0.5),
    ],
)
def test_clocks_without_fractions_are_told_less_finely(
    said: str, at: float | None, within: float
) -> None:
    found = parsed(f"{NONCE} begin {said} 1 1\n{NONCE} end 2\n")
    assert found.within == timedelta(seconds=within)
    assert found.at == (at and datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at))


def test_a_host_that_took_long_to_say_its_time_is_less_sure_of_it() -> None:
    found = parsed(f"{NONCE} begin 1700000000.5 1.00 1.75\n{NONCE} end 2\n")
    assert (found.within, found.lasted) == (timedelta(seconds=0.76), timedelta(seconds=1))


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_understands_the_script(shell: str) -> None:
    assert shutil.which(SHELLS[shell][0]), f"missing program: {SHELLS[shell][0]}"
    asked = [
        Read("kernel", "cat /proc/loadavg; exit 3"),
        Read("broken", "case in"),
        Read("bytes", r"printf '\377'; echo '  spaced  '"),
        Read("hung", "sleep 30", timedelta(seconds=0.4)),
    ]
    done = subprocess.run(
        [*SHELLS[shell], "-c", gathering.compose(asked, NONCE)],
        capture_output=True,
        timeout=20,
        check=False,
        start_new_session=True,
    )
    found = gathering.parse(done.stdout.decode(errors="surrogateescape"), asked, NONCE)
    assert found is not None
    assert found.answers["kernel"].exit_code == 3
    assert len(found.answers["kernel"].text.split()) == 5
    assert found.answers["broken"].exit_code
    assert found.answers["bytes"] == Answer("\\xff  spaced  \n")
    assert found.answers["hung"] == Answer("", None)
    assert found.lasted is not None
    assert timedelta(seconds=0.3) < found.lasted < timedelta(seconds=5)


def test_a_read_asked_twice_has_the_longer_time() -> None:
    short, long = (Read("a", ":", timedelta(seconds=n)) for n in (1, 2))
    assert gathering.merged([short, long]) == gathering.merged([long, short]) == (long,)
