"""A table's digest is the same whenever it was begun: while pg_dump still wrote, or after."""

import hashlib
import random
import subprocess
from pathlib import Path

import pytest

from opsd.drivers.pgtools import HASHING, DumpedTable, dumped_digest

END = b"\\.\n\n\n"
ROWS = b"".join(b"%d\t\\\\.\t%s\n" % (number, b"x" * (number % 50)) for number in range(5_000))


def expected(rows: bytes) -> tuple[int, str]:
    by_hand = subprocess.run(["b3sum"], input=rows, capture_output=True, check=True)
    return rows.count(b"\n"), by_hand.stdout.decode().split()[0]


@pytest.mark.parametrize("rows", [b"", b"1\n", b"\\.\n\n\n1\n", ROWS], ids=len)
@pytest.mark.parametrize("end", [END, b""], ids=["with end mark", "without"])
def test_a_file_that_is_there_is_hashed_without_its_end_mark(
    tmp_path: Path, rows: bytes, end: bytes
) -> None:
    file = tmp_path / "1.dat"
    file.write_bytes(rows + end)
    assert dumped_digest(file, HASHING) == expected(rows)


def test_a_manifest_of_before_is_compared_by_its_own_digest(tmp_path: Path) -> None:
    file = tmp_path / "1.dat"
    file.write_bytes(ROWS + END)
    assert dumped_digest(file, "sha256")[1] == hashlib.sha256(ROWS).hexdigest()
    older = hashlib.blake2b(ROWS, digest_size=32).hexdigest()
    assert dumped_digest(file, "blake2b-256")[1] == older


@pytest.mark.parametrize("seed", range(5))
def test_a_file_that_grows_by_any_pieces_is_hashed_as_a_whole_one(
    tmp_path: Path, seed: int
) -> None:
    draw, content, file = random.Random(seed), ROWS + END, tmp_path / "1.dat"
    file.touch()
    table, done = DumpedTable(file), 0
    with file.open("ab", buffering=0) as stream:
        while done < len(content):
            piece = content[done : done + draw.choice([1, 3, 4, 5, 1_000, 40_000])]
            stream.write(piece)
            done += len(piece)
            if draw.random() < 0.7:
                assert table.advance() == done
    assert table.finish() == expected(ROWS)
