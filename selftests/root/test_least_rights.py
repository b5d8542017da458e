# SPDX-License-Identifier: GPL-2.0-or-later
"""A run of somebody who has nothing: no rights, no home, a checkout that cannot be written to, whatever the umask."""

import json
import stat
import subprocess

import pytest

from ..support.ordinary_user import for_root
from ..support.waiting import HANGS_S

pytestmark = [
    for_root,
    pytest.mark.qemu,
    pytest.mark.network,
    pytest.mark.alone,
    pytest.mark.usefixtures("nothing_left", "environment"),
]
ALONE = (stat.S_IRWXU, stat.S_IRUSR | stat.S_IWUSR)
_SCRIPT = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99
umask "$2"
exec setpriv --reuid="$3" --regid="$3" --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \\
    env --ignore-environment PATH=/usr/bin:/bin "$1/.venv/bin/python" -m avocado_migdowntime judge \\
    --quiet --json --arch x86_64 -p page_size=4K -p accel=tcg -p passes=1 --output "$4"
"""


@pytest.mark.parametrize("umask", ["077", "000"])
def test_it_comes_to_its_verdict_and_leaves_files_of_its_own_alone(user, umask):
    checkout, uid = user.home / "checkout", user.home.stat().st_uid
    place = user.home / f"run-{umask}"
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SCRIPT, "-", checkout, umask, uid, place]
    done = subprocess.run(
        [*map(str, words)], cwd=user.home, capture_output=True, text=True, timeout=HANGS_S, check=False
    )
    assert json.loads(done.stdout)["verdict"] in ("accurate", "inconclusive"), done
    files = {path.name: path.stat() for path in [place, *place.rglob("*")]}
    assert {"trace.jsonl", "verdict.json", "source.command", "destination.stderr"} <= set(files)
    assert {stat.S_IMODE(each.st_mode) for each in files.values()} <= set(ALONE)
    assert {each.st_uid for each in files.values()} == {uid}
