"""`kill -9` of opsd at every moment of an answer."""

from pathlib import Path

import pytest

from tests.faults.test_answering import MOMENTS, killed


@pytest.mark.parametrize("moment", MOMENTS)
def test_whenever_it_is_killed_each_step_is_settled(moment: str, tmp_path: Path) -> None:
    killed(moment, tmp_path)
