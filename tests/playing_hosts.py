"""Rows: what was seen of machines and services, and what is planned."""

from __future__ import annotations

from typing import Any

from opsd.model import CheckId
from tests.playing import Case

DB = {"services": {"db": {"host": "db1", "log": "/var/log/pg.log"}}}
WEB = {"services": {"front": {"host": "web1", "test": ["nginx", "-t"]}}}
REPLICA = {"services": {"db": {"host": "db2"}}}
PARTNER = {"partners": {"lgsp": {"name": "Trục tỉnh", "contact": "hotro@lgsp.example"}}}
POWER = {"power": {"db1": {"via": "mon", "cycle": ["ipmi", "cycle"], "returned": ["ipmi", "on"]}}}
LINK = {
    "switches": {
        "wan": {
            "host": "gw",
            "standby": "203.0.113.9",
            "switch": ["ip", "route", "replace", "default", "dev", "b"],
            "back": ["ip", "route", "replace", "default", "dev", "a"],
            "switched": ["sh", "-c", "ip route | grep -q 'dev b'"],
        }
    }
}
RENEW = {
    "renewals": {
        "front": {
            "host": "web1",
            "file": "/etc/ssl/front.pem",
            "renew": ["certbot", "renew"],
            "reload": ["nginx", "-s", "reload"],
            "serves": "127.0.0.1:443",
        }
    }
}
ROOM, FULL = "Filesystem 1 2 3\n/dev/a 9 5 4 55% /", "Filesystem 1 2 3\n/dev/a 9 9 0 100% /"
READY = "2026-11-23 LOG:  database system is ready to accept connections\n"
STOPPED = (
    READY + "2026-11-23 LOG:  received fast shutdown request\nLOG:  database system is shut down\n"
)
PANIC = READY + "PANIC:  could not locate a valid checkpoint record\n"
LOGS = (
    *("unreachable", "disk", "slot_lost", "no_receiver"),
    *("too_few", "weakened", "unprotected", "one_left", "received"),
)
DISK, FRONT, BASE = CheckId("h", "filesystems", "/srv"), CheckId("", "front"), CheckId("", "db")
WAN = CheckId("", "wan")


def database(
    name: str, said: str, *does: str, cause: str = "connect_refused", **answers: str
) -> Case:
    seen = {"ready": "no", "room": ROOM, **answers}
    return Case(name, "database_down", BASE, cause, (said,), does, seen, options=DB, at="db1")


def web(name: str, said: str, *does: str, **answers: str) -> Case:
    seen = {"up": "no", "room": ROOM, **answers}
    return Case(
        name, "web_down", FRONT, "connect_refused", (said,), does, seen, options=WEB, at="web1"
    )


def replica(name: str, *says: str, does: tuple[str, ...] = (), rows: str) -> Case:
    seen = {"replication": rows}
    return Case(
        name,
        "replication_stuck",
        BASE,
        "replication_late",
        says,
        does,
        seen,
        options=REPLICA,
        at="db2",
    )


def upstream(side: str) -> Case:
    known = {
        ("probe", "lgsp"): {
            "side": side,
            "cause": "connect_refused",
            "target": "lgsp:443",
            "told": "seen",
        }
    }
    return Case(
        f"a partner is out: {side}",
        "upstream_down",
        CheckId("", "lgsp"),
        "connect_refused",
        (side,),
        known=known,
        options=PARTNER,
    )


def silent(
    name: str,
    *says: str,
    far: str = "silent",
    does: tuple[str, ...] = (),
    others: tuple[dict[str, str], ...] = (),
    options: dict[str, Any] = POWER,
) -> Case:
    known = {
        ("way", "db1"): {"far": far, "address": "192.0.2.7", "told": "way"},
        ("incidents", ""): others,
    }
    return Case(
        name,
        "host_unreachable",
        CheckId("db1", "reach"),
        "timeout",
        says,
        does,
        known=known,
        options=options,
    )


HOST_CASES = (
    Case(
        "a full disk with journals",
        "disk_full",
        DISK,
        "filesystem_full",
        ("spared",),
        ("shrink_journal", "clean_packages"),
        {"spared": "/var/log/journal 900000 /srv\n/var/cache/apt/archives 99999 /srv\n\n9 /srv/x"},
    ),
    Case(
        "a full disk with nothing to spare",
        "disk_full",
        DISK,
        "filesystem_full",
        ("nothing",),
        (),
        {"spared": "/var/log/journal 900000 /\n\n9 /srv/x"},
    ),
    Case(
        "a full disk of a host that is silent",
        "disk_full",
        DISK,
        "filesystem_full",
        ("nothing",),
        unreached=("h",),
    ),
    Case(
        "a slow disk with what can wait",
        "disk_slow",
        CheckId("h", "disk_latency", "sda"),
        "disk_slow",
        ("who",),
        ("let_wait_12",),
        {"writers": "9 99000000 postgres\n12 88000000 rsync\n13 5 tar"},
    ),
    Case(
        "a slow disk with a name that lies",
        "disk_slow",
        CheckId("h", "disk_latency", "sda"),
        "disk_slow",
        ("who",),
        (),
        {"writers": "12 88000000 $(reboot)\nx y z\n1 2"},
    ),
    Case(
        "a slow disk in an array",
        "disk_slow",
        CheckId("h", "disk_latency", "sda"),
        "disk_slow",
        ("nobody", "rebuilding", "errors"),
        (),
        {"rebuilding": "recovery = 1%", "errors": "I/O error"},
    ),
    Case(
        "a clock that nothing keeps",
        "clock_skew",
        CheckId("h", "clock"),
        "clock_off",
        ("stopped",),
        ("restart",),
        {"running": "no"},
    ),
    Case(
        "a clock that is lost",
        "clock_skew",
        CheckId("h", "clock"),
        "clock_off",
        ("lost",),
        ("restart",),
        {"running": "yes"},
    ),
    Case(
        "a clock of which nobody knows",
        "clock_skew",
        CheckId("h", "clock"),
        "clock_off",
        ("unknown",),
    ),
    database("a database that crashed", "crashed", "start", noted=READY),
    database("a database that was stopped", "stopped", noted=STOPPED),
    database(
        "a database that was stopped and crashed later", "crashed", "start", noted=STOPPED + READY
    ),
    database("a database that is damaged", "damaged", noted=PANIC),
    database("a database without room", "no_room", noted=READY, room=FULL),
    database("a database whose log cannot be read", "unknown", noted=""),
    database("a database of which nobody knows whether it runs", "unknown", noted=READY, ready=""),
    database("a database that answers on its host", "reachable_there", ready="yes", noted=READY),
    database("a database without connections", "full", cause="login_full", noted=READY),
    database("a database that recovers", "starting", cause="login_starting", noted=READY),
    web("a front that is down", "stopped", "start"),
    web("a front that answers wrongly", "wrong", up="yes"),
    web("a front without room", "no_room", room=FULL),
    web("a front of which nobody knows", "unknown", up=""),
    replica(
        "a replay that was paused",
        "paused",
        does=("resume_replay",),
        rows="standby|true\npaused|true\nreceiver|streaming\n",
    ),
    replica(
        "a standby that is not fed",
        "no_receiver",
        rows="standby|true\npaused|false\nreceiver|none\n",
    ),
    replica(
        "an archive that refuses",
        "archive",
        rows="standby|false\npaused|false\nreceiver|none\narchive|7|0000000100000000000000A1\nfed|b|streaming\n",
    ),
    replica(
        "a slot that piles up",
        "not_fed",
        "slot",
        rows="standby|false\npaused|false\nreceiver|none\nslot|b|false|9999999999\n",
    ),
    *(
        Case(
            f"a log of which {word} is said",
            "replication_stuck",
            CheckId("", "wal", "dossiers/database/one"),
            "no_receiver",
            (f"log_{word}",),
            known={("log", "dossiers/database/one"): {"word": word, "told": "seen"}},
        )
        for word in LOGS
    ),
    Case(
        "a log of a server that went back",
        "replication_stuck",
        CheckId("", "wal", "dossiers/database/one"),
        "went_back",
        ("log_went_back",),
        known={("log", "dossiers/database/one"): {"word": "no_receiver", "told": "seen"}},
    ),
    Case(
        "a log that nobody knows",
        "replication_stuck",
        CheckId("", "wal", "x"),
        "gap",
        ("unknown",),
    ),
    replica("a server that says nothing", "unknown", rows=""),
    silent("a host that is silent", "silent", does=("cycle_power",)),
    silent("a host whose power nobody knows", "silent", options={}),
    silent(
        "two hosts that are silent", "silent", "others", others=({"host": "db2", "check": "reach"},)
    ),
    silent(
        "a silent host while nobody saw all alerts",
        "silent",
        "cut_off",
        others=({"host": "", "check": "alert", "cut_off": "7"},),
    ),
    silent("a host that answers pings", "pings", far="pings"),
    silent("a host that refuses", "refused", far="refused"),
    silent("a host whose name is lost", "name", far="name"),
    silent("a host with another key", "open", far="open"),
    Case(
        "a link with a standby",
        "link_down",
        WAN,
        "reply_none",
        ("standby",),
        ("switch_over",),
        {"switched": "no", "standby": "yes"},
        options=LINK,
        at="gw",
    ),
    Case(
        "two links that are down",
        "link_down",
        WAN,
        "reply_none",
        ("both",),
        (),
        {"switched": "no", "standby": "no"},
        options=LINK,
        at="gw",
    ),
    Case(
        "a link that was changed over",
        "link_down",
        WAN,
        "reply_none",
        ("already",),
        (),
        {"switched": "yes", "standby": "yes"},
        options=LINK,
        at="gw",
    ),
    Case(
        "a link whose host is silent",
        "link_down",
        WAN,
        "reply_none",
        ("unknown",),
        options=LINK,
        at="gw",
        unreached=("gw",),
    ),
    Case("a link nobody can switch", "link_down", WAN, "reply_none", ("look",)),
    Case(
        "a certificate that can be renewed",
        "certificate_expiring",
        CheckId("web1", "certificates", "/etc/ssl/front.pem"),
        "certificate_expires",
        ("found",),
        ("renew", "reload"),
        options=RENEW,
    ),
    Case(
        "a certificate as it is served",
        "certificate_expiring",
        FRONT,
        "tls_expired",
        ("found",),
        ("renew", "reload"),
        options=RENEW,
    ),
    Case(
        "a certificate of somebody",
        "certificate_expiring",
        CheckId("h", "certificates", "/x"),
        "certificate_expires",
        ("found",),
    ),
    *map(upstream, ("theirs", "unclear", "ours", "road", "nobody")),
)
