"""A filesystem of a real host fills up, and its playbook wins the room back."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from opsd import app, assembly
from opsd.clock import Stopwatch, now
from opsd.model import CheckId, Finding, Incident, Severity
from opsd.response import Ending, Response
from opsd.tasks.respond.hands import Reach
from opsd.tasks.respond.responding import Round, begin
from tests.hosts import network
from tests.responding import configured

pytestmark = pytest.mark.xdist_group("hosts")

PLACE = "/var/cache/apt/archives"


def test_a_full_disk_is_mended_where_there_is_something_to_spare(tmp_path: Path) -> None:
    with network() as net:
        host = net.add("one")
        host.run(f"mount -t tmpfs -o size=80m tmpfs {PLACE}; mkdir {PLACE}/partial")
        host.run(f"head -c 70000000 /dev/zero >{PLACE}/some_1_all.deb; touch {PLACE}/lock")
        config = configured(tmp_path / "state", {"one": net.written(host)})
        kit = assembly.assemble(config, clock=now)
        with closing(kit.store), closing(assembly.responses(config)) as responses:
            reach = Reach(config, kit.clock)
            means = app.means(kit, responses, reach)
            said = Finding(Severity.FAULT, "check.gone")
            one = CheckId("one", "filesystems", PLACE)
            code = responses.open_incident(Incident("", one, now(), now(), "filesystem_full", said))
            ended: list[Ending | None] = []

            def submit(made: Response) -> None:
                ended.append(begin(means, made))

            watch = Stopwatch()
            Round(lambda: means, submit).go()
            elapsed = watch.elapsed()
            (response,) = responses.responses_to(code)
            begun = responses.attempts(response.id)[0].intent.at - response.opened_at
            reach.close()
        assert ended == [Ending.MENDED]
        assert [step.id for step in response.plan.steps] == ["clean_packages"]
        assert "some_1_all.deb" not in host.run(f"ls {PLACE}")
        assert begun < timedelta(seconds=2)
        assert elapsed < timedelta(seconds=20)
