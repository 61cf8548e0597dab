"""What is kept: the append-only history, who works on what, what is watched, what was read."""

from opsd.store.alerts import Alerts, Sorting, Way
from opsd.store.audit import OPSD
from opsd.store.cases import Cases
from opsd.store.claims import Claim, Claims, End, Fenced, Node
from opsd.store.history import Store
from opsd.store.notices import GIVEN_UP, SENT, Notices, Post, Tally
from opsd.store.place import Place, Server, make_place
from opsd.store.reads import Reads
from opsd.store.respond import Responses
from opsd.store.watch import Kept, Page, Watch

__all__ = [
    "GIVEN_UP",
    "OPSD",
    "SENT",
    "Alerts",
    "Cases",
    "Claim",
    "Claims",
    "End",
    "Fenced",
    "Kept",
    "Node",
    "Notices",
    "Page",
    "Place",
    "Post",
    "Reads",
    "Responses",
    "Server",
    "Sorting",
    "Store",
    "Tally",
    "Watch",
    "Way",
    "make_place",
]
