"""The way in of alerts: who sends them is known, and they lie in the history before it is said so.

What Alertmanager reads in an answer: 2xx is done, 5xx is tried again, anything else is dropped for
good. So a history that cannot be written is 503, and only what can never be read is 400.
"""

from __future__ import annotations

import hmac
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

from opsd.config.webhook import Webhook as Options
from opsd.errors import StorageFailed
from opsd.policy.alerting import Malformed
from opsd.tasks.incidents.intake import Intake
from opsd.web.asking import Answer, Asked, text
from opsd.web.reread import Reread

log = logging.getLogger(__name__)

PATH: Final = "/-/alerts"
CODES: Final = tuple(HTTPStatus(code) for code in (200, 400, 401, 405, 413, 500, 503))
_BEARER: Final = "bearer "


class Webhook:
    """Takes messages of Alertmanager.

    Raises `ConfigError` or `OSError` where the token's file cannot be read.
    """

    def __init__(self, options: Options, intake: Intake) -> None:
        token = options.token
        self.longest = int(options.max_body)
        self._certificates = options.client_ca_file is not None
        self._token: Callable[[], str] = str
        if token is not None:
            path = token.path()
            self._token = Reread(lambda: _token(path), path).now
        self._intake = intake
        self._answered: Counter[int] = Counter()

    @property
    def answered(self) -> Mapping[int, int]:
        """How many requests were answered how."""
        return {code: self._answered[code] for code in CODES}

    def admits(self, asked: Asked) -> bool:
        """Whether who sent this shows the token, or a certificate of ours."""
        if self._certificates and asked.certified:
            return True
        shown, wanted = asked.authorization, self._token()
        if not wanted or shown[: len(_BEARER)].lower() != _BEARER:
            return False
        return hmac.compare_digest(shown[len(_BEARER) :].strip().encode(), wanted.encode())

    def told(self, status: HTTPStatus) -> None:
        """Count what was answered."""
        self._answered[status] += 1

    def page(self, asked: Asked) -> Answer:
        """Keep the alerts of a message, then say so."""
        try:
            found = self._intake.take(asked.body)
        except Malformed as error:
            log.warning("a message of alerts cannot be read: %s", error)
            return text(HTTPStatus.BAD_REQUEST, f"no message of Alertmanager: {error}")
        except StorageFailed as error:
            log.error("alerts could not be kept, Alertmanager tries again: %s", error)  # noqa: TRY400
            return text(HTTPStatus.SERVICE_UNAVAILABLE, "cannot be kept now")
        return text(HTTPStatus.OK, f"{found.new} new, {found.known} known")


def _token(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
