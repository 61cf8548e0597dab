"""The metrics page: what the history says, no more and no less, whoever restarted meanwhile."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from opsd.config.load import parse
from opsd.config.schema import Config
from opsd.keeping import Cause, Drop, Freeze, Hold
from opsd.metrics import Board, Collector, Exposition, Sources, Vitals
from opsd.metrics.collector import reasons
from opsd.metrics.table import FAMILIES, Page, Remembered
from opsd.model import (
    Closing,
    Evidence,
    Finding,
    MemberKind,
    MemberSnapshot,
    Outcome,
    Proof,
    ProofReached,
    RecoveryPoint,
    Run,
    Severity,
    Task,
)
from opsd.store import Store

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "metrics.txt"
NIGHT = datetime(2026, 3, 10, 18, 30, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

CONFIG = """\
host: srv
repositories:
  main: {url: "s3:https://store.example.vn/bucket/main", password_file: /etc/opsd/main.password}
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      scans: {kind: files, path: /srv/scans}
    retention: {min_age: 14d, daily: 30}
  web:
    repository: main
    schedule: "02:30"
    rpo: 48h
    rto: 8h
    members:
      site: {kind: files, path: /srv/web}
"""


@pytest.fixture
def config() -> Config:
    return parse(CONFIG)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "opsd.sqlite")
    yield found
    found.close()


def opened(store: Store, task: Task, at: datetime, *, slot: datetime | None = None) -> Run:
    run = Run(f"{task}-{at:%Y%m%dT%H%M%S}", task, "dossiers", "main", at, "srv", 1, slot)
    store.open_run(run)
    return run


def closed(
    store: Store, run: Run, minutes: int, outcome: Outcome, reason: str = "", **phases: float
) -> None:
    end = run.opened_at + minutes * MINUTE
    store.add_evidence(Evidence(run.id, end, "phases", phases))
    store.close_run(Closing(run.id, end, outcome, minutes * MINUTE, reason))


def pointed(store: Store, run: Run, *, complete: bool) -> None:
    snapshot = MemberSnapshot(
        member="scans",
        kind=MemberKind.FILES,
        snapshot="ab" * 32,
        root="/srv/scans",
        files=60,
        bytes=4096,
        rows=0,
        added_bytes=1024,
        elapsed=MINUTE,
    )
    members = (snapshot, snapshot)
    at = run.opened_at + MINUTE
    store.add_point(RecoveryPoint(run.id, "dossiers", "main", "srv", at, members, complete))


def backed_up(store: Store, at: datetime, outcome: Outcome, reason: str = "") -> Run:
    run = opened(store, Task.BACKUP, at, slot=at)
    pointed(store, run, complete=outcome.good)
    store.add_proof(ProofReached(run.id, run.id, "main", at, Proof.TAKEN, Outcome.PASSED))
    closed(store, run, 5, outcome, reason, survey=60.0, upload=240.5)
    return run


def proved(store: Store, point: Run, at: datetime, outcome: Outcome, reason: str = "") -> None:
    run = opened(store, Task.PROVE, at)
    level = Proof.PROVED if outcome.good else Proof.DATA_READ
    store.add_proof(ProofReached(run.id, point.id, "main", at + MINUTE, level, outcome))
    if outcome.good:
        figures: dict[str, object] = {"read_bytes": 9000, "files": 120, "bytes": 8192}
        figures["canaries"] = {"file": True}
        store.add_evidence(Evidence(run.id, at, "proof", figures))
    closed(store, run, 9, outcome, reason, fetch=100.0, load=20.25, compare=300.0)


def filled(store: Store) -> None:
    """Three nights: good and proved; good but the proof failed; one member could not be read."""
    first = backed_up(store, NIGHT, Outcome.SUCCEEDED)
    proved(store, first, NIGHT + 6 * MINUTE, Outcome.PASSED)
    second = backed_up(store, NIGHT + DAY, Outcome.SUCCEEDED)
    proved(store, second, NIGHT + DAY + 6 * MINUTE, Outcome.FAILED, "integrity")
    backed_up(store, NIGHT + 4 * DAY, Outcome.PARTIAL, "source")
    opened(store, Task.PROVE, NIGHT + 4 * DAY + 6 * MINUTE)
    retained(store, first, NIGHT + 20 * MINUTE)
    covered(store, NIGHT + 30 * MINUTE)


def covered(store: Store, at: datetime) -> None:
    run = opened(store, Task.COVER, at)
    told = {"read_bytes": 700, "unread": 2, "damaged": 0, "oldest": (at - 3 * DAY).isoformat()}
    told["stored_bytes"] = 90_000
    store.add_evidence(Evidence(run.id, at, "coverage", told))
    closed(store, run, 2, Outcome.SUCCEEDED, read_back=30.0)


def retained(store: Store, point: Run, at: datetime) -> None:
    """A run of retention that dropped a point; afterwards a proof froze it, and one is held."""
    run = opened(store, Task.RETAIN, at)
    store.drop([Drop(point.id, "dossiers", "main", run.id, at, ("ab" * 32,), "ab" * 32)])
    closed(store, run, 3, Outcome.SUCCEEDED, prune=90.0)
    said = Finding(Severity.FAULT, "retention.proof_failed")
    store.freeze(Freeze("f1", "dossiers", at + DAY, Cause.PROOF, "p1", said))
    store.add_hold(Hold("h1", "dossiers", "", at, "evidence", "An"))
    store.add_verified(at + DAY, store.head().number)


def page(store: Store, config: Config, board: Board | None = None, *, alive: bool = True) -> str:
    vitals = Vitals(
        last_tick=NIGHT + 5 * DAY,
        next_runs={"dossiers": NIGHT + 6 * DAY},
        reload_successful=True,
        reloaded_at=NIGHT - DAY,
    )
    sources = Sources(
        config=lambda: config,
        store=store,
        alive=lambda run: alive,
        board=board or Board(),
        vitals=lambda: vitals,
        messages=lambda: {"info": 40, "warning": 2, "error": 1, "critical": 0},
    )
    return Collector(sources).page().text()


def samples(text: str, name: str) -> dict[str, float]:
    """The samples of a metric by their labels as written."""
    found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def test_the_progress_of_what_goes_on_at_the_same_time_is_one_ratio() -> None:
    line = Board().line("dossiers")
    beside = line.beside()
    line.advance(1, 10)
    assert line.ratio == 0.1
    beside.advance(30, 30)
    assert line.ratio == 31 / 40
    line.clear()
    assert line.ratio is None


def test_the_page_of_three_nights_is_the_golden_one(store: Store, config: Config) -> None:
    filled(store)
    board = Board()
    board.line("dossiers").phase("fetch", "scans")
    board.line("dossiers").advance(3, 4)
    found = re.sub(
        r"(?m)^opsd_build_info\{.*\} 1\.0$", "opsd_build_info{...} 1.0", page(store, config, board)
    )
    assert found == GOLDEN.read_text(encoding="utf-8")


def test_a_restart_forgets_nothing(store: Store, config: Config, tmp_path: Path) -> None:
    filled(store)
    before = page(store, config)
    again = Store(tmp_path / "opsd.sqlite")
    assert page(again, config) == before
    again.close()


def test_failures_are_counted_from_nought_for_every_reason(store: Store, config: Config) -> None:
    text = page(store, config)
    for task in ("backup", "proof"):
        counted = samples(text, f"opsd_{task}_run_failures_total")
        assert set(counted.values()) == {0.0}
        for name in ("dossiers", "web"):
            told = {label for label in counted if f'backup_set="{name}"' in label}
            assert told == {f'{{backup_set="{name}",reason="{reason}"}}' for reason in reasons()}


def test_what_never_happened_has_no_time(store: Store, config: Config) -> None:
    text = page(store, config)
    assert "opsd_backup_last" not in text
    assert "opsd_proof_last" not in text
    assert "newest_point" not in text
    assert set(samples(text, "opsd_backup_in_progress").values()) == {0.0}
    assert set(samples(text, "opsd_backup_runs_total").values()) == {0.0}
    assert set(samples(text, "opsd_scheduler_missed_runs_total").values()) == {0.0}


def test_a_level_that_was_reached_reaches_those_below_it(store: Store, config: Config) -> None:
    filled(store)
    text = page(store, config)
    newest = samples(text, "opsd_proof_newest_point_timestamp_seconds")
    levels = {label: at for label, at in newest.items() if 'backup_set="dossiers"' in label}
    assert len(levels) == len(Proof)
    first, third = (NIGHT + MINUTE).timestamp(), (NIGHT + 4 * DAY + MINUTE).timestamp()
    assert levels['{backup_set="dossiers",level="proved",repository="main"}'] == first
    assert levels['{backup_set="dossiers",level="data_read",repository="main"}'] == first
    assert levels['{backup_set="dossiers",level="taken",repository="main"}'] == third


def test_a_failed_run_leaves_the_last_success_where_it_was(store: Store, config: Config) -> None:
    filled(store)
    text = page(store, config)
    own = '{backup_set="dossiers"}'
    success = samples(text, "opsd_backup_last_success_timestamp_seconds")
    completion = samples(text, "opsd_backup_last_completion_timestamp_seconds")
    assert success[own] == (NIGHT + DAY + 5 * MINUTE).timestamp()
    assert completion[own] == (NIGHT + 4 * DAY + 5 * MINUTE).timestamp()
    assert samples(text, "opsd_backup_newest_point_complete")[own] == 0.0


def test_a_dead_run_is_not_in_progress(store: Store, config: Config) -> None:
    filled(store)
    own = '{backup_set="dossiers"}'
    assert samples(page(store, config), "opsd_proof_in_progress")[own] == 1.0
    assert samples(page(store, config, alive=False), "opsd_proof_in_progress")[own] == 0.0


def test_prometheus_own_parser_reads_back_every_sample(store: Store, config: Config) -> None:
    filled(store)
    sources = Sources(config=lambda: config, store=store, alive=lambda run: True)
    text = Exposition(Collector(sources)).page().decode()
    read = list(text_string_to_metric_families(text))
    found = {sample.name for family in read for sample in family.samples}
    assert {"opsd_backup_runs_total", "opsd_proof_last_read_bytes", "process_open_fds"} <= found
    assert not [name for name in found if name.endswith("_created")]
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == sum(len(family.samples) for family in read)


AWKWARD = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(
    '\\\n"', max_size=9
)


@given(label=AWKWARD, value=st.floats() | st.integers(-(2**60), 2**60) | st.booleans())
def test_whatever_stands_in_a_label_is_read_back(label: str, value: float) -> None:
    page = Page()
    page.add("opsd_backup_points", value, label)
    (family,) = text_string_to_metric_families(page.text())
    (sample,) = family.samples
    assert sample.labels == {"backup_set": label}
    assert repr(float(sample.value)) == repr(float(value))


def test_a_sample_with_too_few_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="backup_set"):
        Page().add("opsd_backup_points", 1)


def test_what_is_not_told_any_more_is_forgotten() -> None:
    remembered = Remembered()
    for turn in range(10):
        page = Page(remembered)
        for number in range(100):
            page.add("opsd_backup_points", 1, f"{turn} {number}")
        assert page.text().count(f'"{turn} ') == 100
    assert remembered.count <= 300


def test_a_line_that_is_remembered_tells_the_value_of_today() -> None:
    """Whatever the value before was, and whatever the neighbour's is."""
    remembered = Remembered()
    values = (1, 1, 0, float("nan"), float("nan"), 0.5, True, float("-inf"), 0.5, 0.5)
    for day in range(len(values)):
        page = Page(remembered)
        tell = page.teller("opsd_backup_points")
        for n in range(len(values)):
            tell(values[(n + day) % len(values)], (str(n),))
        (family,) = text_string_to_metric_families(page.text())
        told = [repr(float(sample.value)) for sample in family.samples]
        assert told == [repr(float(values[(n + day) % len(values)])) for n in range(len(values))]


def test_the_disk_of_a_local_repository_tells_its_free_space(store: Store, tmp_path: Path) -> None:
    local = parse(CONFIG.replace('"s3:https://store.example.vn/bucket/main"', str(tmp_path)))
    free = samples(page(store, local), "opsd_repository_free_bytes")
    assert free['{repository="main"}'] > 0


def test_labels_are_few_and_never_those_that_prometheus_sets() -> None:
    forbidden = {"instance", "job", "service", "env", "stage", "region", "zone", "owner", "type"}
    for family in FAMILIES.values():
        assert len(family.labels) <= 4
        assert not forbidden & set(family.labels)


def test_docs_and_code_name_the_same_metrics() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(opsd_\w+)` \| (\w+) \| ([^|]*) \| (.+) \|$", text, re.MULTILINE)
    told = {name: (kind, labels, meaning) for name, kind, labels, meaning in rows}
    assert len(rows) == len(told), "a metric is documented twice"
    assert told == {
        name: (
            family.kind,
            ", ".join(f"`{label}`" for label in family.labels),
            family.help,
        )
        for name, family in FAMILIES.items()
    }
    reasons_told = re.search(r"<!-- reasons -->\n(.*?)\n<!-- end -->", text, re.DOTALL)
    assert reasons_told
    assert re.findall(r"`(\w+)`", reasons_told[1]) == list(reasons())
