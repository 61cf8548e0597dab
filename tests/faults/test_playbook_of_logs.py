"""The log of a real server that nobody receives any more: what holds it up goes to a person."""

from __future__ import annotations

import os
import signal

from opsd.catalogue import SENTENCES
from opsd.model import CheckId, Status
from opsd.response import Call
from tests.incidents import answering
from tests.logs import guarded, hit, receivers, sql, until, with_log
from tests.site import Site


def test_a_receiver_that_is_far_behind_is_not_called_well(site: Site) -> None:
    with guarded(with_log(site)) as (_, log, _):
        path = site.base / "answering.yaml"
        path.write_text(site.config_file.read_text() + "automation: {enabled: true}\n")
        stopped = receivers(site)[0]
        os.kill(stopped, signal.SIGSTOP)
        try:
            for _ in range(3):
                sql(site, "SELECT pg_logical_emit_message(true, 'test', 'a')")
                sql(site, "SELECT pg_switch_wal()")
            with answering(path) as desk:
                incident, _ = desk.raised(CheckId("", "wal", f"{log.subject}/one"))
                assert desk.answered(desk.begun(incident)) is None
                (page,) = desk.pages()
        finally:
            os.kill(stopped, signal.SIGCONT)
    assert page.said.key == "playbook.replication_stuck.log_behind"
    assert page.said.key in SENTENCES


def test_a_log_that_nobody_receives_is_handed_over_with_what_the_server_says(site: Site) -> None:
    with guarded(with_log(site)) as (_, log, heard):
        sql(site, "ALTER SYSTEM SET wal_sender_timeout = '1s'")
        sql(site, "SELECT pg_reload_conf()")
        hit(site, signal.SIGSTOP)
        try:
            until(lambda: heard.cause(log.subject) == "no_receiver", 60)
            assert heard.results[log.subject].status is Status.CRITICAL
            path = site.base / "answering.yaml"
            path.write_text(site.config_file.read_text() + "automation: {enabled: true}\n")
            with answering(path) as desk:
                incident, _ = desk.raised(CheckId("", "wal", log.subject))
                assert desk.answered(desk.begun(incident)) is None
                (page,) = desk.pages()
        finally:
            hit(site, signal.SIGCONT)
    assert (page.call, page.said.key) == (
        Call.HANDED_OVER,
        "playbook.replication_stuck.log_no_receiver",
    )
    assert page.said.key in SENTENCES
    assert "slot opsd_one: idle" in page.attached["log"]
