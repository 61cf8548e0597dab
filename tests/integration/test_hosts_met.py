"""A host is met, tried and listed by the commands for it; a site's own playbook works on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsd.cli.exit_codes import ExitCode
from opsd.cli.main import main
from opsd.model import CheckId
from opsd.response import Ending
from tests.hosts import Network, do, network
from tests.incidents import PERSONS, answering
from tests.responding import configured

pytestmark = pytest.mark.xdist_group("hosts")

PLAYBOOK = """\
playbook: mark-made
title: Một dấu / A mark
answers: {{checks: {{}}, alerts: [MarkMissing]}}
hosts: [one]
limits: {{cooldown: 0s, per_host: 5, in_total: 5, within: 1d, breaker_after: 5, breaker_within: 7d}}
approval: required
approval_expires: 15m
look:
  - {{name: before, run: [ls, "{base}"], expected: true, timeout: 20s}}
steps:
  - id: make
    purpose: để lại một dấu / leave a mark
    effect: change
    run: [mkdir, "{base}/{{subject}}"]
    timeout: 20s
    requires: [{{run: [test, "!", -e, "{base}/{{subject}}"]}}]
    done: {{run: [test, -d, "{base}/{{subject}}"]}}
    undo: [rmdir, "{base}/{{subject}}"]
judged_within: 5s
"""
HOSTILE = "a b'; touch owned; $(touch owned)\n"


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        made.add("one")
        yield made


@pytest.fixture
def config(net: Network, tmp_path: Path) -> Path:
    """A host that nobody met yet, and a playbook of the site."""
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "marks").mkdir()
    text = PLAYBOOK.format(base=tmp_path / "marks")
    (tmp_path / "playbooks" / "mark.yaml").write_text(text)
    host = {
        **net.written(net.hosts[0]),
        "known_hosts": str(tmp_path / "known_hosts"),
        "connect_timeout": "20s",
    }
    approvers, place = list(PERSONS), str(tmp_path / "playbooks")
    configured(tmp_path / "state", {"one": host}, approvers=approvers, playbooks=place)
    return tmp_path / "state" / "opsd.yaml"


def told(
    config: Path, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, dict[str, object]]:
    code = main([*arguments, "--json", "--config", str(config)])
    out = capsys.readouterr().out
    return code, json.loads(out) if out.strip() else {}


def test_a_host_is_met_by_who_compares_its_key(
    net: Network, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = net.hosts[0]
    real = do("ssh-keygen", "-lf", str(net.home / "one" / "key.pub")).split()[1]
    assert told(config, capsys, "host", "test", "one")[0] == ExitCode.FAILED, "it is a stranger"
    code, shown = told(config, capsys, "host", "enroll", "one")
    assert code == ExitCode.REFUSED
    assert [f"ssh-ed25519 {real}"] == shown["fingerprints"]
    other = ("host", "enroll", "one", "--fingerprint", "SHA256:another")
    assert told(config, capsys, *other)[0] == ExitCode.REFUSED
    right = ("host", "enroll", "one", "--fingerprint", real)
    assert told(config, capsys, *right)[0] == ExitCode.DONE
    assert told(config, capsys, "host", "test", "one") == (ExitCode.DONE, {"hosts": {"one": True}})
    assert told(config, capsys, *right)[0] == ExitCode.REFUSED, "it is known already"
    code, listed = told(config, capsys, "host", "list")
    assert code == ExitCode.DONE
    hosts = listed["hosts"]
    assert isinstance(hosts, dict)
    assert hosts["one"]["place"] == f"root@{host.address}:22"
    assert "mark-made" in hosts["one"]["playbooks"]
    host.change_key()
    try:
        assert told(config, capsys, "host", "test", "one")[0] == ExitCode.FAILED
    finally:
        host.heal()


def test_a_playbook_in_a_file_works_on_a_real_host(net: Network, config: Path) -> None:
    (config.parent.parent / "known_hosts").write_text(net.hosts[0].known)
    with answering(config) as desk:
        response = desk.by_hand("mark-made", CheckId("one", "", HOSTILE.strip()), 1)
        assert response.ending is Ending.MENDED, desk.told(response)
    marks = config.parent.parent / "marks"
    assert [one.name for one in marks.iterdir()] == [HOSTILE.strip()]
