# SPDX-License-Identifier: GPL-2.0-or-later
"""`tools/packages` asks for what is missing, of the package manager that there is, and only if something is.

Package managers are pretended: what is tried is what they would be asked for.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from avocado_migdowntime.basics.packages import IPROUTE2
from avocado_migdowntime.qemu.profiles import PROFILES

from ..support.documents import TOP

NEEDED = ("tc", *(f"qemu-system-{arch}" for arch in ("ppc64", "x86_64", "aarch64", "arm", "riscv64", "s390x")))
ALL = {
    "apt-get": "python3-venv iproute2 qemu-system-ppc64 qemu-system-x86-64 qemu-system-aarch64 qemu-system-arm "
    "qemu-system-riscv64 qemu-system-s390x",
    "dnf": "python3 iproute-tc qemu-system-ppc-core qemu-system-x86-core qemu-system-aarch64-core "
    "qemu-system-arm-core qemu-system-riscv-core qemu-system-s390x-core",
    "zypper": "python3 iproute2 qemu-ppc qemu-x86 qemu-arm qemu-extra qemu-s390x",
}
INSTALL = {
    "apt-get": "apt-get update --quiet=2\napt-get install --yes --quiet=2 --no-install-recommends ",
    "dnf": "dnf install --assumeyes --quiet --setopt=install_weak_deps=False ",
    "zypper": "zypper --non-interactive --quiet install --no-recommends ",
}
LIBVIRT = {
    "apt-get": "libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients pkg-config libvirt-dev gcc python3-dev",
    "dnf": "libvirt-daemon libvirt-daemon-driver-qemu libvirt-client pkgconf-pkg-config libvirt-devel gcc "
    "python3-devel",
}
LIBVIRT["zypper"] = LIBVIRT["dnf"]
NEEDED_BY_LIBVIRT = ("libvirtd", "libvirt_driver_qemu.so", "virsh", "pkg-config", "libvirt.pc", "cc", "Python.h")
BROWSER = {"apt-get": "chromium libatomic1", "dnf": "chromium libatomic", "zypper": "chromium libatomic1"}


@dataclass
class Host:
    """One on whose PATH lies what is made there, and a few programs that every host has."""

    bin: Path

    def has(self, name, body="exit 0"):
        (self.bin / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.bin / name).chmod(0o755)

    def has_manager(self, name, status=0):
        self.has(name, f'echo "{name} $*" >>"{self.bin}/asked"\nexit {status}')

    @property
    def asked(self):
        return (self.bin / "asked").read_text() if (self.bin / "asked").exists() else ""

    def packages(self, *needed):
        """Its exit status, and what it said."""
        # The script goes on to look in /usr/sbin, where a real tc may lie: so do hosts that have one.
        line = ["/bin/sh", self.bin / "packages", *needed]
        done = subprocess.run(line, env={"PATH": str(self.bin)}, capture_output=True, text=True, check=False)
        assert done.stdout == ""
        return done.returncode, done.stderr


@pytest.fixture
def host(tmp_path):
    made = Host(tmp_path)
    for program in ("env", "grep"):
        (tmp_path / program).symlink_to(shutil.which(program))
    script = (TOP / "tools/packages").read_text()
    assert script.count("/usr/local/sbin:/usr/sbin:/sbin") == 1
    assert script.count("/usr/lib*/") == 2
    script = script.replace("/usr/local/sbin:/usr/sbin:/sbin", str(tmp_path / "sbin"))
    (tmp_path / "packages").write_text(script.replace("/usr/lib*/", f"{tmp_path}/lib*/"))
    made.has("python3", "exit 1")
    made.has("id", "echo 0")
    made.has("ldconfig", "echo 'libc.so.6 (libc6,x86-64) => /lib/libc.so.6'")
    return made


@pytest.mark.parametrize("manager", ALL)
def test_all_that_is_missing_is_installed_by_its_name_there(host, manager):
    host.has_manager(manager)
    status, said = host.packages()
    assert (status, host.asked) == (0, f"{INSTALL[manager]}{ALL[manager]}\n")
    assert said == f"missing: venv {' '.join(NEEDED)}; installing {ALL[manager]}\n"


@pytest.mark.parametrize("manager", BROWSER)
def test_what_is_asked_for_alone_is_looked_for(host, manager):
    host.has_manager(manager)
    assert host.packages("chromium", "libatomic.so.1")[0] == 0
    assert host.asked == f"{INSTALL[manager]}{BROWSER[manager]}\n"


@pytest.mark.parametrize("manager", LIBVIRT)
def test_libvirt_and_what_its_binding_is_built_by_are_installed(host, manager):
    host.has_manager(manager)
    assert host.packages(*NEEDED_BY_LIBVIRT)[0] == 0
    assert host.asked == f"{INSTALL[manager]}{LIBVIRT[manager]}\n"


@pytest.mark.parametrize("folder", ["lib64", "lib/x86_64-linux-gnu"])
def test_libvirt_that_is_there_is_found(host, folder):
    host.has_manager("apt-get")
    for program in ("libvirtd", "virsh", "cc"):
        host.has(program)
    host.has("pkg-config", '[ "$*" = "--exists libvirt" ]')
    host.has("python3", 'case "$*" in *Python.h*) exit 0 ;; esac\nexit 1')
    driver = host.bin / folder / "libvirt/connection-driver/libvirt_driver_qemu.so"
    driver.parent.mkdir(parents=True)
    driver.touch()
    assert host.packages(*NEEDED_BY_LIBVIRT) == (0, "") and host.asked == ""


def test_a_browser_by_its_name_on_fedora_is_one(host):
    host.has("chromium-browser")
    assert host.packages("chromium") == (0, "")


def test_only_what_is_missing_is_asked_for(host):
    host.has_manager("apt-get")
    for program in NEEDED[:-1]:
        host.has(program)
    host.has("python3")
    assert host.packages() == (0, "missing: qemu-system-s390x; installing qemu-system-s390x\n")


def test_where_nothing_is_missing_nobody_is_asked(host):
    host.has_manager("apt-get")
    host.has("id", "echo 1000")
    for program in NEEDED[1:]:
        host.has(program)
    (host.bin / "sbin").mkdir()
    host.has("sbin/tc")
    host.has("python3", 'case "$*" in "-c import ensurepip, venv; ensurepip.version") exit 0 ;; esac\nexit 1')
    host.has("ldconfig", "echo 'libatomic.so.1 (libc6,x86-64) => /lib/libatomic.so.1'")
    assert host.packages() == (0, "") and host.packages("libatomic.so.1") == (0, "") and host.asked == ""


@pytest.mark.parametrize("manager", ALL)
def test_who_may_not_install_is_told_what_root_is_to_run(host, manager):
    host.has_manager(manager)
    host.has("id", "echo 1000")
    install = f"{manager} install{' --no-install-recommends' if manager == 'apt-get' else ''}"
    told = (1, f"missing: venv {' '.join(NEEDED)}; as root run: {install} {ALL[manager]}\n")
    assert host.packages() == told
    host.has("sudo", "exit 1")
    assert host.packages() == told and host.asked == ""


def test_sudo_that_asks_for_no_password_is_used(host):
    host.has_manager("zypper")
    host.has("id", "echo 1000")
    host.has("sudo", f'[ "$1" = -n ] || exit 1\nshift\necho "sudo $1" >>"{host.bin}/asked"\n[ "$1" = true ] || "$@"')
    assert host.packages("tc")[0] == 0
    assert host.asked == f"sudo true\nsudo zypper\n{INSTALL['zypper']}iproute2\n"


def test_a_manager_that_fails_and_a_host_without_one_are_told(host):
    assert host.packages("tc") == (
        1,
        "missing: tc; install them by this host's package manager, which is none of apt-get, dnf and zypper\n",
    )
    host.has_manager("dnf", status=7)
    assert host.packages("tc") == (
        1,
        "missing: tc; installing iproute-tc\n"
        "dnf could not install iproute-tc, see above; fix that, or have tc on the PATH another way\n",
    )


@pytest.mark.parametrize("manager", ["dnf", "zypper"])
def test_what_messages_say_to_install_is_what_the_script_installs(manager):
    named = [IPROUTE2, *(PROFILES[program.removeprefix("qemu-system-")].package for program in NEEDED[1:])]
    said = dict.fromkeys(getattr(package, manager) for package in named)
    assert list(said) == ALL[manager].split()[1:]
    assert all(f"{manager} install {getattr(package, manager)}" in package.install for package in named)
