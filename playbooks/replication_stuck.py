"""Replication or log archive stuck: paused, nobody feeds it, the archive refuses, a slot piles up?

Touches a replay that was paused, after a person agreed; never a slot, never the log: what waits
there is all that a restore to the last moment needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from opsd.catalogue import Size
from opsd.config.playbook_services import Replica, ReplicationStuckOptions
from opsd.model import Finding
from opsd.playbook import (
    Answers,
    Condition,
    Effect,
    Facts,
    Occasion,
    Plan,
    Question,
    Recall,
    Step,
    Terms,
    say,
)
from playbooks.looking import asks, attached, command, probe, subject

LOG = "wal"  # the check of opsd's own about a log that it has received
STUCK = frozenset(
    {"replication_stopped", "replication_few", "replication_late", "replication_failed"}
)
_SQL = """
SELECT 'standby|' || pg_is_in_recovery()
UNION ALL SELECT 'paused|' ||
  CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END
UNION ALL SELECT 'receiver|' || coalesce((SELECT status FROM pg_stat_wal_receiver), 'none')
UNION ALL SELECT 'archive|' || failed_count || '|' || coalesce(last_failed_wal, '')
  FROM pg_stat_archiver
  WHERE last_failed_time > coalesce(last_archived_time, '-infinity')
UNION ALL SELECT 'fed|' || application_name || '|' || state FROM pg_stat_replication
UNION ALL SELECT 'slot|' || slot_name || '|' || active || '|' || coalesce(pg_wal_lsn_diff(
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
    restart_lsn), 0)::bigint
  FROM pg_replication_slots
"""
_PAUSED = "SELECT pg_is_wal_replay_paused()"
_WENT_BACK = "went_back"  # no look at the server alone tells it
_MUCH = 1 << 30
_SLOT = 3


@dataclass(frozen=True, slots=True)
class ReplicationStuck:
    """Answers a standby that is behind or not fed, and an archive that does not take the log."""

    options: ReplicationStuckOptions

    @property
    def terms(self) -> Terms:
        """Who paused a replay may be saving data with it: a person says yes."""
        return self.options.terms(
            Answers({**dict.fromkeys(self.options.services, STUCK), LOG: frozenset()})
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """What the server says of its standbys, slots and archive; or of who receives its log."""
        if found.id.check == LOG:
            return (Recall("log", subject(found)),)
        own = self.options.services.get(probe(found))
        if own is None:
            return ()
        scripts = {
            "replication": f"timeout 5 {command((*own.psql, '-c', _SQL))} 2>&1",
            "processes": "ps -eo pid,stat,etime,args | grep -E 'wal(sender|receiver)|archiver'"
            " | grep -v grep",
        }
        return asks(own.host, scripts, timedelta(seconds=8))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """What holds it up; a replay that was paused can be resumed from here."""
        if found.id.check == LOG:
            return _of_log(found, facts)
        own = self.options.services.get(probe(found))
        if own is None:
            return Plan((say("playbook.service.unknown", name=probe(found)),))
        told = attached(facts, own.host, ("replication", "processes"))
        answer = facts.answer(own.host, "replication")
        seen = _read(answer.text) if answer.good else {}
        said = tuple(_found(seen)) or (say("playbook.replication_stuck.unknown"),)
        paused = seen.get("paused") == [["true"]]
        return Plan(said, (_resume(own),) if paused else (), told)


def _of_log(found: Occasion, facts: Facts) -> Plan:
    """What died comes back by itself, what was agreed is done at once: this is a person's."""
    seen = facts.known.get(Recall("log", subject(found)))
    if not isinstance(seen, Mapping) or not seen:
        return Plan((say("playbook.replication_stuck.unknown"),))
    fields = {"log": subject(found), "cause": found.cause or "-"}
    word = _WENT_BACK if found.cause == _WENT_BACK else seen["word"]
    said = say(f"playbook.replication_stuck.log_{word}", **fields)
    return Plan((said,), (), {"log": str(seen["told"])})


def _read(text: str) -> Mapping[str, Sequence[Sequence[str]]]:
    """The rows by their first word."""
    rows: defaultdict[str, list[Sequence[str]]] = defaultdict(list)
    for line in text.splitlines():
        name, *rest = line.split("|")
        rows[name].append(rest)
    return rows


def _found(seen: Mapping[str, Sequence[Sequence[str]]]) -> Iterator[Finding]:
    if "standby" not in seen:
        return
    if seen.get("paused") == [["true"]]:
        yield say("playbook.replication_stuck.paused")
    standby = seen["standby"] == [["true"]]
    if standby and seen.get("receiver") != [["streaming"]]:
        yield say("playbook.replication_stuck.no_receiver")
    if not standby and not seen.get("fed"):
        yield say("playbook.replication_stuck.not_fed")
    for count, segment in (row for row in seen.get("archive", ()) if len(row) == _SLOT - 1):
        yield say("playbook.replication_stuck.archive", count=count, segment=segment)
    for name, active, size in (row for row in seen.get("slot", ()) if len(row) == _SLOT):
        if active == "false" and size.isdigit() and int(size) > _MUCH:
            yield say("playbook.replication_stuck.slot", name=name, bytes=Size(int(size)))


def _resume(own: Replica) -> Step:
    return Step(
        "resume_replay",
        say("playbook.replication_stuck.resume"),
        Effect.CHANGE,
        own.host,
        (*own.psql, "-c", "SELECT pg_wal_replay_resume()"),
        requires=(Condition((*own.psql, "-c", _PAUSED), equals="t"),),
        done=Condition((*own.psql, "-c", _PAUSED), equals="f"),
        undo=(*own.psql, "-c", "SELECT pg_wal_replay_pause()"),
        repeatable=True,
        timeout=timedelta(seconds=30),
    )
