# SPDX-License-Identifier: GPL-2.0-or-later
"""A test that found its host lacking something, on one of several hosts: another one may have it.

So its runner does not report an end. It ends with a status of its own, and the reason as its last words.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ..basics.names import LACKING_FAILS

RESULT_OF_STATUS = {75: "cancel", 76: "fail"}
"""The result of such a test if no host has what it needs, by the exit status of its runner."""
_STATUS = {result: status for status, result in RESULT_OF_STATUS.items()}


class _Place:
    """Where this process runs tests."""

    one_of_several = False


PLACE = _Place()


def unless_another_may_have_it(test_messages: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the messages of a test. On one of several hosts, end this process if the test found the host lacking."""
    for message in test_messages:
        result = str(message.get("result"))
        if PLACE.one_of_several and (result == "cancel" or message.get("fail_class") == LACKING_FAILS):
            print(message["fail_reason"], file=sys.stderr)
            raise SystemExit(_STATUS[result])
        yield message
