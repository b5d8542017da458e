# SPDX-License-Identifier: GPL-2.0-or-later
"""What forbids an ordinary user a network is named, whichever kernel, distribution or container it is of."""

import errno
import os

import pytest

from avocado_migdowntime.host import user_namespace
from avocado_migdowntime.host.user_namespace import what_forbids

REFUSED = PermissionError(errno.EPERM, os.strerror(errno.EPERM))
ALLOWED = {
    "kernel/unprivileged_userns_clone": "1\n",
    "user/max_user_namespaces": "96365\n",
    "user/max_net_namespaces": "96365\n",
    "kernel/apparmor_restrict_unprivileged_userns": "0\n",
}


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """One with all switches and no fault: `change` sets a switch, or takes it away."""
    for name, value in {**{f"sys/{switch}": value for switch, value in ALLOWED.items()}, "self/ns/user": ""}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
    (tmp_path / "self/status").write_text("Name:\tpython3\nSeccomp:\t0\nSeccomp_filters:\t0\n")
    monkeypatch.setattr(user_namespace, "_SYSCTLS", tmp_path / "sys")
    monkeypatch.setattr(user_namespace, "_SELF", tmp_path / "self")
    return tmp_path


@pytest.mark.parametrize(
    ("switch", "value", "mend"),
    [
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("user.max_user_namespaces", "0", "10000"),
        ("user.max_net_namespaces", "0", "10000"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ],
)
def test_a_switch_that_forbids_it_is_named_with_what_opens_it(kernel, switch, value, mend):
    (kernel / "sys" / switch.replace(".", "/")).write_text(f"{value}\n")
    assert what_forbids(REFUSED) == (f"{switch} is {value}", f"as root run `sysctl {switch}={mend}`")


def test_namespaces_that_are_used_up_are_not_called_a_full_disk(kernel):
    why, mend = what_forbids(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert why == "the number that user.max_user_namespaces allows is in use" and mend == "as root raise it by sysctl"


def test_a_kernel_without_user_namespaces_is_named(kernel):
    (kernel / "self/ns/user").unlink()
    assert what_forbids(OSError(errno.EINVAL, "Invalid argument"))[0] == "this kernel was built without CONFIG_USER_NS"


def test_a_container_is_thought_of_where_its_filter_may_be_why(kernel):
    (kernel / "self/status").write_text("Name:\tpython3\nSeccomp:\t2\nSeccomp_filters:\t1\n")
    why, mend = what_forbids(REFUSED)
    assert why == "Operation not permitted, perhaps by a container's seccomp filter" and "container" in mend


def test_where_no_reason_is_found_the_kernel_s_own_word_is_given(kernel):
    for switch in ALLOWED:
        (kernel / "sys" / switch).unlink()
    assert what_forbids(REFUSED) == ("Operation not permitted", "see user_namespaces(7)")
