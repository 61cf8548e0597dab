"""`python -m benchmarks`: measure opsd beside bare tools and borgmatic, and keep the result.

`python -m benchmarks watch` measures the watch of hosts beside Ansible, pyinfra and Fabric;
`python -m benchmarks steps` measures a step on hosts beside Ansible, pyinfra and bare ssh;
`python -m benchmarks burst` measures how soon alerts of a burst are answered;
`python -m benchmarks scrape` measures a scrape of opsd beside one of node_exporter;
`python -m benchmarks idle` measures what the daemon takes while nothing is due;
`python -m benchmarks nights` measures a night's read coverage and the planning of retention;
`python -m benchmarks wal` measures a week of a database's log and base copies beside pgBackRest
and Barman.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import (
    burst,
    flat,
    idle,
    machine,
    nights,
    rounds,
    scrape,
    source,
    steps,
    table,
    wal,
    watch,
)
from benchmarks.borgmatic import PROGRAM, ROOT

RESULTS = Path(__file__).resolve().parent / "results"
_MIB = 1 << 20
_NOTES = """\
What the figures are:

- Tools took turns on the same days of the same data, each with a repository of its own on the same
  disk, the source in the page cache. Other work on the machine hits all alike: the ratios count.
- Time, memory and bytes are of the tool's whole process tree; the server of the source database is
  not in them. *written* is what was handed to the file system, scratch included.
- The first day makes the repository. opsd is started anew for each command, as by hand; its daemon
  does not pay for that start.
- *bare* dumps in opsd's form (`pg_dump -Fd -Z0 -j2`), *bare, piped* in the commonest (`pg_dump -Fp`
  into restic). *load* is into a throwaway cluster with the settings that opsd gives its own.
- opsd's proof restores and loads everything and compares each file and row. By hand nothing is
  compared; borgmatic's `spot` compares files only, 1 % of them as in its manual, and its `data`
  check reads the repository; neither restores the database.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for."""
    given = sys.argv[1:] if argv is None else argv
    if given[:1] == ["watch"]:
        return watch.main(given[1:])
    if given[:1] == ["steps"]:
        return steps.main(given[1:])
    if given[:1] == ["burst"]:
        return burst.main(given[1:])
    if given[:1] == ["scrape"]:
        return scrape.main(given[1:])
    if given[:1] == ["wal"]:
        return wal.main(given[1:])
    if given[:1] == ["idle"]:
        return idle.main(given[1:])
    if given[:1] == ["nights"]:
        return nights.main(given[1:])
    asked = _parser().parse_args(given)
    if asked.borgmatic and not PROGRAM.exists():
        print("borgmatic is not here: run `tools/setup bench`, or give --without-borgmatic")
        return 1
    os.environ["PATH"] = f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and so clean up
    base = Path(tempfile.mkdtemp(prefix="opsd-bench-", dir=asked.directory))
    base.chmod(0o711)  # PostgreSQL's account crosses it
    try:
        measured = _measure(asked, base)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    report = _report(measured)
    print("\n\n".join(("", *map(table.terminal, _tables(measured)))))
    if asked.results:
        name = f"{measured['date']}-{machine.kind()}"
        asked.results.mkdir(parents=True, exist_ok=True)
        (asked.results / f"{name}.md").write_text(report, encoding="utf-8")
        plain = {
            **measured,
            "rows": [row.plain for row in measured["rows"]],
            "memory": [row.plain for row in measured["memory"]],
        }
        text = json.dumps(plain, indent=1, ensure_ascii=False)
        (asked.results / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return 0


def _measure(asked: argparse.Namespace, base: Path) -> dict[str, Any]:
    rows: list[rounds.Row] = []
    phases: list[Any] = []
    sizes: dict[str, int] = {}
    if asked.rounds:
        _say(f"making a dossier system ({asked.scale})")
        with source.running(base / "system", asked.scale) as system:
            sizes = asdict(source.sizes(system))
            _say(_size_line(sizes))
            plan = rounds.Plan(asked.rounds, asked.borgmatic, asked.piped, asked.days)
            rows, phases = rounds.play(system, base, plan, _say)
    memory = flat.grow(base, asked.files, _say)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "scale": asked.scale,
        "machine": machine.facts(borgmatic=asked.borgmatic),
        "sizes": sizes,
        "rows": rows,
        "phases": phases,
        "memory": memory,
    }


def _tables(measured: dict[str, Any]) -> list[str]:
    rows, memory = measured["rows"], measured["memory"]
    shown = [table.costs(rows), table.ratios(rows)] if rows else []
    return [*shown, *([table.memory(rows, memory)] if memory else [])]


def _report(measured: dict[str, Any]) -> str:
    facts = "\n".join(f"- {name}: {value}" for name, value in measured["machine"].items())
    head = f"# opsd beside its peers, {measured['date']}\n\n{facts}\n"
    sizes = f"\nSource ({measured['scale']}): {_size_line(measured['sizes'])}\n"
    return "\n\n".join((head + (sizes if measured["sizes"] else ""), *_tables(measured), _NOTES))


def _size_line(sizes: dict[str, int]) -> str:
    return (
        f"{sizes['files']:,} files of {sizes['files_bytes'] / _MIB:,.0f} MiB together, a database"
        f" of {sizes['database_bytes'] / _MIB:,.0f} MiB with {sizes['rows']:,} rows"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--scale", choices=tuple(source.SCALES), default="full")
    parser.add_argument("--rounds", type=int, default=1, help="0: memory alone (%(default)s)")
    parser.add_argument("--days", type=int, choices=(1, 2, 3), default=3, help="of each round")
    parser.add_argument("--without-borgmatic", dest="borgmatic", action="store_false")
    parser.add_argument("--without-piped", dest="piped", action="store_false")
    parser.add_argument(
        "--files", type=int, nargs="*", default=[], help="measure the memory for so many files"
    )
    parser.add_argument("--directory", type=Path, help="where to work (default: $TMPDIR)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to keep the result")
    parser.add_argument("--no-results", dest="results", action="store_const", const=None)
    return parser


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
