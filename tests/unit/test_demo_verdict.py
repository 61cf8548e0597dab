"""The demo's judgement: it can fail, and says what is missing."""

from __future__ import annotations

import pytest

from opsd.demo.clerk import Visit
from opsd.demo.verdict import Content, insist_on_table, insist_on_visits
from opsd.errors import ToolFailed

VISITS = [Visit(number, "Cán bộ Mẫu A", "Đăng ký khai sinh") for number in range(1, 41)]
TABLE = Content(60, "a1")


def test_all_that_was_acknowledged_is_there_and_the_last_that_was_not_told_may_be() -> None:
    insist_on_visits(VISITS, VISITS)
    insist_on_visits(VISITS[:-1], VISITS)
    insist_on_table("receipt", TABLE, Content(60, "a1"))


def test_an_acknowledged_commit_that_is_missing_is_told_by_its_number() -> None:
    with pytest.raises(ToolFailed, match=r"LOST: 1 of 40 acknowledged commits") as failed:
        insist_on_visits(VISITS, [*VISITS[:16], *VISITS[17:]])
    assert failed.value.detail == "17"


def test_one_that_came_back_as_another_is_missing() -> None:
    changed = VISITS[2]._replace(purpose="Đăng ký kết hôn")
    with pytest.raises(ToolFailed, match="LOST: 1 of 40"):
        insist_on_visits(VISITS, [*VISITS[:2], changed, *VISITS[3:]])


def test_of_many_that_are_missing_the_first_are_named() -> None:
    with pytest.raises(ToolFailed, match="LOST: 40 of 40") as failed:
        insist_on_visits(VISITS, [])
    assert failed.value.detail.endswith("19, 20, …")


def test_where_nothing_was_acknowledged_nothing_is_proved() -> None:
    with pytest.raises(ToolFailed, match="no commit was acknowledged"):
        insist_on_visits([], VISITS)


@pytest.mark.parametrize(
    ("before", "after"),
    [(TABLE, Content(59, "b2")), (TABLE, Content(60, "b2")), (Content(0, ""), Content(0, ""))],
)
def test_a_table_that_is_not_as_it_was_is_told(before: Content, after: Content) -> None:
    with pytest.raises(ToolFailed, match="table receipt is not as it was"):
        insist_on_table("receipt", before, after)
