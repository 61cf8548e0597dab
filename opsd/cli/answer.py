"""What a command answers: an exit code, text for people, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opsd.cli.exit_codes import ExitCode
from opsd.model import Status


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` goes to people, `body` to programs; `complaint` is text that belongs on stderr.

    A command for other monitors ends with a status, as Nagios' plugins do.
    """

    code: ExitCode | Status
    text: str
    body: Mapping[str, object]
    complaint: str = ""
