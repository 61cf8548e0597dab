"""What every hand promises: this machine's, and one over SSH to a real host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from opsd.check import Answer, Read
from opsd.clock import now
from opsd.config.hosts import Host
from opsd.drivers.process import Stop
from opsd.errors import TimedOut
from opsd.tasks.check.gather import Hand, Hands, LocalHand, gather
from tests.hosts import Network, do, network, wait_for

pytestmark = pytest.mark.xdist_group("hosts")

DEADLINE = timedelta(seconds=10)
SHORT = timedelta(seconds=1)
GRACE = 4.0


@dataclass
class Place:
    """A hand, and what runs where it reaches."""

    hand: Hand
    running: Callable[[], str]


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        made.add("one")
        yield made


@pytest.fixture(params=["local", "ssh"])
def place(request: pytest.FixtureRequest, net: Network) -> Iterator[Place]:
    if request.param == "local":
        yield Place(LocalHand(Stop()), lambda: do("ps", "ax", "-o", "args"))
        return
    host = net.hosts[0]
    hands = Hands(now, Stop())
    yield Place(
        hands._hand("one", Host.model_validate(net.written(host))), lambda: str(host.processes())
    )
    hands.close()


# --- a script

SAID: dict[str, tuple[str, str]] = {
    "words": ("echo one; echo hai | sed s/hai/ba/", "one\nba\n"),
    "nothing": (":", ""),
    "of a script that fails": ("echo one; exit 3", "one\n"),
    "of a script that cannot be parsed": ("echo one\nif ; then", "one\n"),
    "letters of Vietnam": ("printf 'hồ sơ'", "hồ sơ"),
    "no text at all": (r"printf '\377\000\n'", "\udcff\0\n"),
    "without a terminal and without input": ("[ -t 0 ] || cat", ""),
    "complaints left out": ("echo one; echo bad >&2", "one\n"),
    "of a script that is killed": ("echo one; kill -KILL $$", "one\n"),
    "a quarter of a million letters": ("head -c 250000 /dev/zero | tr '\\0' x", "x" * 250_000),
}


@pytest.mark.parametrize("case", SAID)
def test_what_a_script_prints_comes_back(case: str, place: Place) -> None:
    script, said = SAID[case]
    assert place.hand.run(script, DEADLINE) == said


@pytest.mark.parametrize(
    "script",
    [
        "sleep 987",
        "trap '' TERM; sleep 987; sleep 987",
        "sleep 987 & sleep 987 & wait",
        "(sleep 987) | cat",
    ],
)
def test_what_is_late_is_ended_where_it_runs(script: str, place: Place) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut):
        place.hand.run(script, SHORT)
    assert time.monotonic() - began < SHORT.total_seconds() + GRACE + 10  # the local grace
    wait_for("nothing is left", lambda: "sleep 987" not in place.running())


def test_what_a_script_leaves_behind_is_ended_with_it(place: Place) -> None:
    began = time.monotonic()
    assert place.hand.run("sleep 987 & echo done", DEADLINE) == "done\n"
    assert time.monotonic() - began < GRACE
    wait_for("nothing is left", lambda: "sleep 987" not in place.running())


def test_endless_output_is_bounded_and_ended(place: Place) -> None:
    began = time.monotonic()
    try:
        said = place.hand.run("exec yes opsd-endless", SHORT)
    except TimedOut:
        said = ""
    assert len(said) <= 1 << 22
    assert time.monotonic() - began < SHORT.total_seconds() + GRACE
    wait_for("nothing is left", lambda: "opsd-endless" not in place.running())


# --- many reads at once

FORGED = 'echo \'00 0 0 4\'; echo "$N 0 0 4"; echo fake; echo "$N end 1"'
READS: dict[str, tuple[str, Answer]] = {
    "plain": ("echo one; echo two", Answer("one\ntwo\n")),
    "shares nothing": ("x=1; cd /; echo $x", Answer("1\n")),
    "knows nothing": ('echo "[$x]"', Answer("[]\n")),
    "silent": (":", Answer("")),
    "fails": ("echo said; echo complained >&2; exit 7", Answer("said\n", 7)),
    "not there": ("no-such-program-anywhere", Answer("", 127)),
    "cannot be parsed": ("if ; then", Answer("", 2)),
    "ends the shell": ("echo one; exit 0; echo two", Answer("one\n")),
    "replaces the shell": ("exec echo one", Answer("one\n")),
    "killed": ("echo one; exec sh -c 'kill -KILL $$'", Answer("one\n", 137)),
    "quotes": ('echo "it\'s" \'"$HOME"\' \\\\', Answer('it\'s "$HOME" \\\n')),
    "no text": (r"printf '\377\001'", Answer("\\xff\x01\n")),
    "input": ("cat; echo end", Answer("end\n")),
    "closes everything": ("exec 1>&- 3>&- 4>&-; echo one", Answer("", 1)),
    "too much": ("head -c 300000 /dev/zero | tr '\\0' x", Answer("x" * (1 << 18) + "\n", None)),
    "hangs": ("echo one; sleep 987", Answer("", None)),
    "hangs and will not die": ("trap '' TERM HUP INT; sleep 987; sleep 987", Answer("", None)),
    "endless": ("yes opsd-endless", Answer("", None)),
}
LATE = {"hangs", "hangs and will not die", "endless"}


def asked(*without: str) -> list[Read]:
    return [Read(n, script, SHORT) for n, (script, _) in READS.items() if n not in without]


def test_each_read_has_its_answer_whatever_the_others_do(place: Place) -> None:
    began = time.monotonic()
    seen = gather(place.hand, asked(), "one", now)
    assert time.monotonic() - began < SHORT.total_seconds() + GRACE
    wanted = {name: answer for name, (_, answer) in READS.items()}
    assert dict(seen.answers) == wanted
    wait_for("nothing is left", lambda: "sleep 987" not in place.running())
    wait_for("nothing is left", lambda: "opsd-endless" not in place.running())


def test_a_round_without_a_late_read_does_not_wait(place: Place) -> None:
    place.hand.run(":", DEADLINE)
    began = time.monotonic()
    seen = gather(place.hand, asked(*LATE), "one", now)
    assert time.monotonic() - began < SHORT.total_seconds()
    assert seen.elapsed < SHORT
    assert all(seen.answers[n].text == READS[n][1].text for n in READS if n not in LATE)


def test_a_quick_read_is_not_given_the_time_of_a_slow_one(place: Place) -> None:
    slow = Read("slow", "sleep 2; echo slow", DEADLINE)
    hung = Read("hung", "sleep 987; echo hung", SHORT)
    seen = gather(place.hand, [slow, hung], "one", now)
    assert seen.answers["slow"] == Answer("slow\n")
    assert seen.answers["hung"] == Answer("", None)
    assert seen.elapsed < timedelta(seconds=2 + GRACE)


def test_no_answer_can_be_forged_by_another(place: Place) -> None:
    victim = Read("victim", "sleep 0.3; echo true")
    seen = gather(place.hand, [victim, Read("forger", FORGED)], "one", now)
    assert seen.answers["victim"] == Answer("true\n")
    assert seen.answers["forger"].text.splitlines()[2] == "fake"


def test_nothing_asked_is_an_answer_too(place: Place) -> None:
    assert gather(place.hand, [], "one", now).answers == {}


def test_the_clock_there_is_told_with_how_sure_that_is(place: Place) -> None:
    place.hand.run(":", DEADLINE)
    slow = Read("slow", "sleep 0.5; echo one")
    clocks = [gather(place.hand, [slow], "one", now).clock for _ in range(3)]
    told = [clock for clock in clocks if clock is not None]
    assert all(abs(clock.ahead) <= clock.within for clock in told)
    assert min(clock.within for clock in told) < timedelta(seconds=0.2)


def test_two_reads_of_one_name_are_asked_once(place: Place) -> None:
    again = [Read("same", "echo $$", SHORT), Read("same", "echo $$", DEADLINE)]
    assert len(gather(place.hand, again, "one", now).answers) == 1
    with pytest.raises(ValueError, match="same"):
        gather(place.hand, [*again, Read("same", "echo other")], "one", now)
