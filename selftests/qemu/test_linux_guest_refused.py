# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux as the guest, where it makes no sense."""

import pytest

from avocado_migdowntime.errors import UsageError

from ..support.linux_guest import run

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"arch": "aarch64"}, "there is no Linux guest for aarch64; use guest=dirtier, or arch ppc64, x86_64"),
        ({"guest": "dirtier", "guest_page_size": "2M"}, "guest_page_size is for guest=linux"),
        ({"arch": "x86_64", "ram": "4G"}, "4G of RAM is more than the 2G that a Linux guest of x86_64 can have here"),
    ],
    ids=["architecture", "page size", "memory"],
)
def test_what_makes_no_sense_is_refused(tmp_path, given, words):
    with pytest.raises(UsageError, match=words):
        run(tmp_path, **given)
