"""Every failure an operator can meet, classed by what the operator would decide.

    OpsdError
    ├── ConfigError            mend the configuration, then start again
    ├── UsageError             the command line asks for something that cannot be done
    ├── Refused                opsd will not do it: the reason is a guard, not a fault
    │   └── ClockWrong         no time of a run could be trusted
    ├── HostFailed             a machine that is watched did not do what was asked
    │   └── HostUnreachable    look at the machine, the road, the keys: `reason` says which
    │       └── LinkLost       look there whether it was done: the link died in mid-command
    ├── SourceFailed           the living system could not be read whole
    │   ├── DatabaseFailed     a database server did not answer as asked
    │   └── CommandFailed      a command of the site did not do what it is for
    ├── StorageFailed          a repository or a disk of ours
    │   ├── RepositoryMissing  nothing is there: create, or look for what was lost
    │   ├── LockUnreadable     look at the file; nothing else works meanwhile
    │   ├── RepositoryLocked   somebody else works on it: wait, or look who
    │   ├── BucketMissing      a person makes it, with its lock and its policy
    │   ├── AccessDenied       mend the access key, or what it may do
    │   ├── WrongPassword      the key does not fit: never initialise again
    │   ├── RepositoryDamaged  stop pruning, keep everything, repair in order
    │   └── SpaceExhausted     free space, then run again
    ├── ScratchFull            no room (or no right) for dumps and throwaway databases
    ├── ToolFailed             a program is missing, too old, or answered nonsense
    ├── ChannelFailed          a person could not be told this way: another one is tried
    ├── TimedOut               we stopped waiting; the outcome is unknown
    └── Cancelled              a person or a shutdown ended it

An error names a sentence of the catalogue (`key`) and the values in it, so that people read it in
their language; `str()` gives English for logs. `detail` quotes the outside world, untranslated.
"""

from __future__ import annotations

from opsd import catalogue
from opsd.model import Finding, Severity


class OpsdError(Exception):
    """Base of every error that opsd raises on purpose.

    `key` names the sentence in the catalogue, `fields` fill it, `detail` quotes the outside world.
    """

    reason = "internal"

    def __init__(self, key: str, /, *, detail: str = "", **fields: object) -> None:
        super().__init__(key)
        self.key = key
        self.fields = fields
        self.detail = detail

    def text(self, language: catalogue.Language) -> str:
        """What happened, what was seen, what to do next: one to three lines."""
        return catalogue.sentence(language, self.key, self.fields, self.detail)

    def __str__(self) -> str:
        return self.text(catalogue.Language.EN)

    def finding(self, severity: Severity) -> Finding:
        """The same as something that a run noticed."""
        return Finding(severity, self.key, self.fields, self.detail)


class ConfigError(OpsdError):
    """The configuration cannot be used; it is mended by a person."""

    reason = "config"


class UsageError(OpsdError):
    """The command line asks for something that does not exist or does not fit together."""

    reason = "usage"


class Refused(OpsdError):
    """A guard said no. Nothing was done."""

    reason = "refused"


class ClockWrong(Refused):
    """This machine's clock disagrees with others; ages and retention would be wrong."""

    reason = "clock"


class HostFailed(OpsdError):
    """A machine that is watched did not do what was asked."""

    reason = "host"


class HostUnreachable(HostFailed):
    """A machine that is watched cannot be reached.

    `reason` is one of dns, connect, host_key, auth, timeout, lost.
    """

    def __init__(self, key: str, /, *, reason: str, detail: str = "", **fields: object) -> None:
        super().__init__(key, detail=detail, **fields)
        self.reason = reason


class LinkLost(HostUnreachable):
    """The link died in mid-command: nobody here knows whether it was done."""


class SourceFailed(OpsdError):
    """The living system could not be read whole."""

    reason = "source"


class DatabaseFailed(SourceFailed):
    """A database server, or one of its programs, did not do what was asked."""


class CommandFailed(SourceFailed):
    """A command of the site did not do what it is for.

    `reason` is one of source, limit, integrity.
    """

    def __init__(self, key: str, /, *, reason: str, detail: str = "", **fields: object) -> None:
        super().__init__(key, detail=detail, **fields)
        self.reason = reason


class StorageFailed(OpsdError):
    """A repository or a disk that belongs to opsd failed."""

    reason = "storage"


class RepositoryMissing(StorageFailed):
    """There is no repository at this address."""

    reason = "missing"


class RepositoryLocked(StorageFailed):
    """Another process holds the repository."""

    reason = "locked"


class LockUnreadable(StorageFailed):
    """A lock in the repository cannot be read: restic refuses nearly everything."""

    reason = "lock_unreadable"


class BucketMissing(StorageFailed):
    """The server holds no bucket of this name."""

    reason = "missing"


class AccessDenied(StorageFailed):
    """The storage server does not accept the access key, or not what is asked with it."""

    reason = "access"


class WrongPassword(StorageFailed):
    """The password file does not open the repository."""

    reason = "password"


class RepositoryDamaged(StorageFailed):
    """What the repository holds is not what was written."""

    reason = "integrity"


class SpaceExhausted(StorageFailed):
    """A disk is full, or too full to begin."""

    reason = "space"


class ScratchFull(OpsdError):
    """The scratch directory cannot take what must be written there for a while."""

    reason = "scratch"


class ToolFailed(OpsdError):
    """A program that opsd needs is missing, too old, or answered what cannot be understood."""

    reason = "tool"


class ChannelFailed(OpsdError):
    """A person could not be told this way.

    `reason` is one of connect, timeout, tls, auth, refused, protocol, program.
    """

    def __init__(self, key: str, /, *, reason: str, detail: str = "", **fields: object) -> None:
        super().__init__(key, detail=detail, **fields)
        self.reason = reason


class TimedOut(OpsdError):
    """A deadline passed and the work was ended. It may have had effects."""

    reason = "timeout"


class Cancelled(OpsdError):
    """The work was ended on purpose before it was done."""

    reason = "interrupted"


def quoted(error: Exception) -> str:
    """What the outside world said, for the detail of another sentence in whatever language."""
    return (isinstance(error, OpsdError) and error.detail) or str(error)
