"""Probing a service: observe it from outside, and judge what was seen.

`observe` waits no longer than the probe's deadline and raises nothing for what is wrong with a
service; `judge` is pure. The id of a probe's results is `CheckId(probe.host or "", name)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from opsd.clock import Clock, Stopwatch, now
from opsd.config.addresses import read_connection
from opsd.config.probes import (
    DnsProbe,
    HttpProbe,
    PingProbe,
    PostgresProbe,
    Probe,
    Road,
    Secured,
    SshProbe,
    Step,
    TcpProbe,
    TlsProbe,
    WalkProbe,
)
from opsd.drivers.net.connection import Place, connect, find_listener
from opsd.drivers.net.dns import Question, ask
from opsd.drivers.net.http import Browser, Expected, Request
from opsd.drivers.net.ping import Volley, ping
from opsd.drivers.net.ssh import greet
from opsd.drivers.net.tls import Trust, secure
from opsd.drivers.net.tracing import Blind, Broke, Deadline, OnPhase, Tracer
from opsd.drivers.postgres import Database
from opsd.drivers.postgres.outside import Visit, Visitor
from opsd.errors import ConfigError, DatabaseFailed
from opsd.model import CheckId, CheckResult
from opsd.policy import probing
from opsd.policy.probing import Limits, LinkLimits
from opsd.trace import PHASES, Cause, Facts, Packets, Replication, Trace

_LARGEST_SECRET = 4096
_POSTGRES_PORT = "5432"
# What PostgreSQL says in its English; in another language it is `login_failed`.
_LOGIN: Final = (
    (
        r"authentication failed|no pg_hba\.conf entry|does not exist|not permitted|no password",
        Cause.LOGIN_REFUSED,
    ),
    (r"too many (clients|connections)|remaining connection slots", Cause.LOGIN_FULL),
    (r"starting up|shutting down|recovery mode|not yet accepting", Cause.LOGIN_STARTING),
    (r"timeout expired|timed out", Cause.LOGIN_TIMEOUT),
    # Where the connection string names no host: only libpq knows where it looks.
    (r"Is the server running", Cause.CONNECT_REFUSED),
    (r"closed the connection|reset by peer", Cause.LOGIN_RESET),
)
_STATEMENT_TIMEOUT = "statement timeout"
_CLOSED = re.compile(
    "closed the connection|connection is lost|reset by peer|terminating connection"
)


def about(name: str, probe: Probe) -> CheckId:
    """What a probe's results are about."""
    return CheckId(probe.host or "", name)


def observe(probe: Probe, clock: Clock = now, on_phase: OnPhase = lambda _: None) -> Trace:
    """Make the probe; `on_phase` sees each phase as it ends."""
    at, watch = clock(), Stopwatch()
    tracer = Tracer(Deadline(probe.timeout), on_phase)
    blind = ""
    try:
        _KINDS[type(probe)](probe, tracer)
    except Broke:
        pass  # the tracer has it
    except Blind as error:
        blind = str(error) or type(error).__name__
    return Trace(at, watch.elapsed(), tuple(tracer.phases), tracer.facts, blind)


def judge(probe: Probe, trace: Trace) -> tuple[CheckResult, ...]:
    """The result of the probe; of a link with a standby also one for each road."""
    return probing.judge(trace, limits_of(probe))


def subjects_of(probe: Probe) -> tuple[str, ...]:
    """What each answer of the probe is about: the whole, and each of two links."""
    two = isinstance(probe, PingProbe) and probe.standby is not None
    return ("", probing.MAIN, probing.STANDBY) if two else ("",)


def limits_of(probe: Probe) -> Limits:
    """What is asked of a service besides that it answers."""
    database = probe if isinstance(probe, PostgresProbe) else None
    return Limits(
        phases=PHASES[probe.kind],
        slow=probe.slow,
        certificate=probe.certificate_warning if isinstance(probe, Secured) else None,
        link=_link(probe) if isinstance(probe, PingProbe) else None,
        standby=database.standby if database else None,
        max_lag=database.max_lag if database else None,
        min_standbys=database.min_standbys if database else 0,
        subjects=subjects_of(probe),
    )


def _link(probe: PingProbe) -> LinkLimits:
    return LinkLimits(
        float(probe.loss_warning),
        float(probe.loss_critical),
        probe.delay_warning,
        probe.delay_critical,
    )


# --- each kind


def _dns(probe: DnsProbe, tracer: Tracer) -> None:
    ask(Question(probe.name, probe.record, probe.server, probe.port), probe.expect, tracer)


def _tcp(probe: TcpProbe, tracer: Tracer) -> None:
    connect(Place(probe.address, probe.port, probe.family), tracer).close()


def _tls(probe: TlsProbe, tracer: Tracer) -> None:
    place = Place(probe.address, probe.port, probe.family)
    trust = Trust(probe.server_name or probe.address, probe.ca_file)
    opened = connect(place, tracer)
    with opened:
        secure(opened, place, trust, tracer).close()


def _http(probe: HttpProbe, tracer: Tracer) -> None:
    _browser(probe, tracer).visit(Request(probe.url), _expected(probe, probe))


def _walk(probe: WalkProbe, tracer: Tracer) -> None:
    browser = _browser(probe, tracer)
    for step in probe.steps:
        tracer.step = step.name
        request = Request(probe.url.rstrip("/") + step.path, _form(step))
        browser.visit(request, _expected(step, probe))


def _browser(probe: HttpProbe | WalkProbe, tracer: Tracer) -> Browser:
    return Browser(tracer, probe.family, probe.ca_file)


def _expected(page: HttpProbe | Step, probe: HttpProbe | WalkProbe) -> Expected:
    return Expected(
        page.status, page.text, page.forbidden_text, probe.redirects, int(probe.max_body)
    )


def _form(step: Step) -> Mapping[str, str] | None:
    if step.form is None and not step.secret_form:
        return None
    secrets = {name: _secret(path) for name, path in step.secret_form.items()}
    return {**(step.form or {}), **secrets}


def _secret(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST_SECRET).strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Blind(f"{path}: {type(error).__name__}") from error


def _ssh(probe: SshProbe, tracer: Tracer) -> None:
    greet(Place(probe.address, probe.port, probe.family), probe.known_hosts, tracer)


def _postgres(probe: PostgresProbe, tracer: Tracer) -> None:
    settings = read_connection(probe.connection)
    host = settings.get("hostaddr") or settings.get("host", "")
    port = settings.get("port", _POSTGRES_PORT)
    if "," in f"{host}{port}":
        pass  # which of several it takes is libpq's to say
    elif host.startswith(("/", "@")):
        find_listener(f"{host}/.s.PGSQL.{port}", tracer)
    elif host:
        connect(Place(host, int(port), probe.family), tracer).close()
    database = Database(probe.connection, _passfile(probe))
    visitor = Visitor(database, tracer.facts.peer, tracer.deadline.left)
    with _visited(visitor, tracer) as visit:
        tracer.know(server=visit.version)
        with tracer.timed("query"), _database_says(tracer, "query"):
            if not visit.sample(probe.query):
                raise Broke(Cause.QUERY_EMPTY)
        with tracer.timed("replication"), _database_says(tracer, "replication"):
            standby, receiving, standbys, lag = visit.replication()
            behind = None if lag is None else timedelta(seconds=lag)
            tracer.know(replication=Replication(standby, receiving, standbys, behind))


@contextmanager
def _visited(visitor: Visitor, tracer: Tracer) -> Iterator[Visit]:
    """The visit once the login is through; its end is no phase."""
    with ExitStack() as stack:
        with tracer.timed("login"), _database_says(tracer, "login"):
            visit = stack.enter_context(visitor.visit())
        yield visit


@contextmanager
def _database_says(tracer: Tracer, phase: str) -> Iterator[None]:
    try:
        yield
    except DatabaseFailed as error:
        late = tracer.deadline.over or _STATEMENT_TIMEOUT in error.detail
        raise Broke(database_cause(phase, error.detail, late=late), error.detail) from error


def database_cause(phase: str, said: str, *, late: bool) -> Cause:
    """Why a phase failed, by what PostgreSQL or its library said."""
    if late:
        return Cause(f"{phase}_timeout")
    if phase == "login":
        return next((c for pattern, c in _LOGIN if re.search(pattern, said)), Cause.LOGIN_FAILED)
    return Cause(f"{phase}_reset" if _CLOSED.search(said) else f"{phase}_failed")


def _passfile(probe: PostgresProbe) -> Path | None:
    try:
        return probe.passwords.path() if probe.passwords else None
    except ConfigError as error:
        raise Blind(str(error)) from error


def _ping(probe: PingProbe, tracer: Tracer) -> None:
    """All roads at the same time; the probe is broken when nothing came back on any."""
    volley = {name: _volley(probe, road) for name, road in probe.roads.items()}
    sides = {name: Tracer(tracer.deadline, tracer.tell) for name in volley}
    with ThreadPoolExecutor(len(volley)) as pool:
        for name, side in sides.items():
            side.step = name
        places = {n: Place(road.address, 0, probe.family) for n, road in probe.roads.items()}
        found = {n: pool.submit(_one_road, places[n], volley[n], sides[n]) for n in volley}
        packets = {name: future.result() for name, future in found.items()}
    main = next(iter(sides.values())).facts
    tracer.facts = Facts(peer=main.peer, local=main.local, roads=packets)


def _volley(probe: PingProbe, road: Road) -> Volley:
    return Volley(probe.count, probe.gap, road.source)


def _one_road(place: Place, volley: Volley, tracer: Tracer) -> Packets:
    try:
        return ping(place, volley, tracer)
    except Broke:
        return Packets(volley.count, ())


_KINDS: Final[Mapping[type, Callable[[Any, Tracer], None]]] = {
    DnsProbe: _dns,
    TcpProbe: _tcp,
    TlsProbe: _tls,
    HttpProbe: _http,
    WalkProbe: _walk,
    PostgresProbe: _postgres,
    SshProbe: _ssh,
    PingProbe: _ping,
}
