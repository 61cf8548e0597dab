"""Messages of the log, counted."""

from __future__ import annotations

import logging

from opsd.daemon.tally import Tally


def test_what_is_written_meanwhile_is_counted_by_level() -> None:
    tally, log = Tally(), logging.getLogger("opsd.test")
    log.error("before")
    with tally.counting():
        log.error("one")
        log.error("two")
        log.warning("three")
    log.error("after")
    assert {**tally.counts, "info": 0} == {"info": 0, "warning": 1, "error": 2, "critical": 0}
