"""Whoever is on duty is called by automation that needs them, once."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

from opsd.config.load import parse
from opsd.model import Status
from opsd.playbook import Plan, say
from opsd.response import Response
from opsd.store import Notices
from opsd.tasks.notify import answers
from opsd.tasks.respond.responding import Round, begin
from tests.responding import Fixed, scene, touch
from tests.unit.test_duty import SMALL
from tests.unit.test_notices import ONCALL


def test_a_call_of_automation_reaches_whoever_is_on_duty_once(tmp_path: Path) -> None:
    config = parse(SMALL + ONCALL)
    with (
        scene(tmp_path / "state") as place,
        closing(Notices(tmp_path / "state" / "opsd.sqlite")) as notices,
    ):
        place.status = Status.CRITICAL
        place.use(fix=Fixed(Plan((say("check.gone"),), (touch(tmp_path / "mark"),))))
        incident = place.incident()

        def submit(one: Response) -> None:
            begin(place.means, one)

        Round(lambda: place.means, submit).go()
        for _ in range(3):
            answers.look(notices, place.responses, config, place.at)
        (told,) = [one for one in notices.waiting("sms") if one.notice.key.startswith("page:")]
        assert (told.address.person, told.notice.incident) == ("an", incident.code)
        assert told.notice.said.key == "respond.not_mended"
        place.later(timedelta(days=2))
        assert answers.look(notices, place.responses, config, place.at) == 0
