# SPDX-License-Identifier: GPL-2.0-or-later
"""A test that finds its host lacking something, on one of several hosts and on the only one."""

import pytest

from avocado_migdowntime.plugins.lacking import PLACE, RESULT_OF_STATUS, unless_another_may_have_it

STARTED = {"status": "started"}
CANCELLED = {"status": "finished", "result": "cancel", "fail_reason": "there is no QEMU", "fail_class": "TestCancel"}
LACKING = {"status": "finished", "result": "fail", "fail_reason": "there is no QEMU", "fail_class": "HostLacks"}
INACCURATE = {"status": "finished", "result": "fail", "fail_reason": "2 % too high", "fail_class": "TestFail"}
PASSED = {"status": "finished", "result": "pass"}


@pytest.mark.parametrize("end", [CANCELLED, LACKING])
def test_its_end_is_not_reported_where_another_host_may_have_it(end, monkeypatch, capsys):
    monkeypatch.setattr(PLACE, "one_of_several", True)
    told = unless_another_may_have_it([STARTED, end])
    assert next(told) == STARTED
    with pytest.raises(SystemExit) as ended:
        next(told)
    assert RESULT_OF_STATUS[ended.value.code] == end["result"]
    assert capsys.readouterr() == ("", "there is no QEMU\n")


@pytest.mark.parametrize("end", [INACCURATE, PASSED])
def test_any_other_end_is_reported(end, monkeypatch):
    monkeypatch.setattr(PLACE, "one_of_several", True)
    assert list(unless_another_may_have_it([STARTED, end])) == [STARTED, end]


@pytest.mark.parametrize("end", [CANCELLED, LACKING])
def test_on_the_only_host_it_is_reported(end):
    assert list(unless_another_may_have_it([STARTED, end])) == [STARTED, end]
