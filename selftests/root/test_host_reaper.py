# SPDX-License-Identifier: GPL-2.0-or-later
"""The process that gives back what was borrowed ends when its work is done, and is told of where it does not.

Nothing else may change the size of the host's pools of hugepages meanwhile.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from avocado_migdowntime.errors import HarnessError, HostRequirementError
from avocado_migdowntime.host import acquisition
from avocado_migdowntime.host import resources as resources_module
from avocado_migdowntime.host.pool import Pool, pools
from avocado_migdowntime.host.protocol import AcquireDirectory, AcquireHugetlbfs, DirectoryGrant, Refusal
from avocado_migdowntime.host.reaper import Reaper
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.host.workdir import work_directory

from ..support.borrowers import borrower, kill_reaper_of, reaper_of, wanted
from ..support.waiting import until

pytestmark = pytest.mark.alone
JOURNALS = Path("/run/avocado-migdowntime")
ROOT = os.geteuid() == 0


@pytest.fixture
def its_pool() -> Pool:
    return pools()[0]


@pytest.mark.parametrize(
    "how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT], ids=lambda how: how.name
)
def test_a_reaper_told_to_end_stays_until_its_work_is_done(its_pool: Pool, how: signal.Signals) -> None:
    size = its_pool.size_pages
    with borrower(its_pool, wanted(its_pool, 16)) as lent:
        reaper = reaper_of(lent.process.pid)
        assert reaper
        os.kill(reaper, how)
        lent.process.kill()
        until(lent.settled)
    assert its_pool.size_pages == size


def test_what_is_borrowed_by_halves_is_given_back_at_once(its_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def refuse(path: str, page_size_bytes: int) -> None:
        made.append(Path(path))
        assert made[0].is_dir()
        raise HostRequirementError("no mount here")

    monkeypatch.setattr(acquisition, "mount_hugetlbfs", refuse)
    assert Reaper().reply(AcquireHugetlbfs(its_pool.page_size_bytes)) == Refusal("host-requirement", "no mount here")
    assert not made[0].exists()


@pytest.mark.parametrize("by_class_names", [False, True], ids=["by kinds", "by class names"])
def test_the_next_run_releases_what_a_killed_reaper_had(its_pool: Pool, by_class_names: bool) -> None:
    """Also where it was of a release whose journals had the names of classes."""
    if not ROOT:
        pytest.skip("others than root have a directory, which is not written down")
    size = its_pool.size_pages
    with borrower(its_pool, wanted(its_pool, 16)) as lent:
        kill_reaper_of(lent.process.pid)
        lent.process.kill()
        lent.process.wait()
        assert its_pool.size_pages == size + 16
        assert not lent.settled()
        (journal,) = journals_naming(lent.directories[0])
        if by_class_names:
            rewrite_by_class_names(journal)
        with HostResources():
            assert its_pool.size_pages == size
            assert lent.settled()
    # Reapers of tests before this one may be ending, so that it is of no use to count all.
    assert not journal.exists() and journals_naming(lent.directories[0]) == []


def journals_naming(directory: Path) -> list[Path]:
    return [path for path in JOURNALS.glob("*") if str(directory) in read_if_there(path)]


def read_if_there(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text()
    return ""


def rewrite_by_class_names(journal: Path) -> None:
    """As the release before the one with kinds wrote it."""
    entries = json.loads(journal.read_text().partition("\n")[0])
    assert {entry["kind"] for entry in entries} == {"directory", "mount", "hugepages"}
    journal.write_text(json.dumps([{**entry, "kind": entry["kind"].title()} for entry in entries]) + "\n")


def test_a_journal_of_another_release_is_left_alone() -> None:
    if not ROOT:
        pytest.skip("only root keeps journals")
    JOURNALS.mkdir(mode=0o700, exist_ok=True)
    strange = JOURNALS / "strange"
    strange.write_text('[{"kind": "moon", "phase": 3}]\n')
    try:
        with HostResources() as resources, work_directory(resources):
            pass
        assert strange.exists()
    finally:
        strange.unlink()


def test_a_borrower_whose_reaper_was_killed_is_told() -> None:
    sentence = "^the reaper, which releases host resources, has ended"
    with pytest.raises(HarnessError, match=sentence), HostResources() as resources:
        kill_reaper_of(os.getpid())
        with work_directory(resources):
            pass


def test_a_reaper_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    sentence = "could not be started .*; see if `/bin/false -P -m avocado_migdowntime"
    with pytest.raises(HarnessError, match=sentence), HostResources():
        pass


def test_a_reaper_that_dies_at_once_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources_module, "_start_reaper", lambda its_socket: None)
    with pytest.raises(HarnessError, match="has ended"), HostResources():
        pass


def test_an_error_of_the_host_keeps_its_class(tmp_path: Path) -> None:
    with HostResources() as resources:
        with (
            pytest.raises(HostRequirementError, match="this host has no hugepages of 12K, but "),
            resources.lease(AcquireHugetlbfs(12288), DirectoryGrant),
        ):
            pass
        with (
            pytest.raises(HarnessError, match="^the request acquire-directory ended in FileNotFoundError"),
            resources.lease(AcquireDirectory(str(tmp_path / "absent")), DirectoryGrant),
        ):
            pass
