# SPDX-License-Identifier: GPL-2.0-or-later
"""What several selftests need."""

import gc
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from .support import ci_jobs, leftovers, no_qemu, slow_link
from .support.dirtier_guest import MIB, Guest
from .support.documents import TOP
from .support.examples import FULL
from .support.leftovers import hugepage_pools, network_namespaces, shared_resources, traces_of_runs
from .support.ordinary_user import PATH, OrdinaryUser
from .support.waiting import until
from .support.warm import Warm

HERE = Path(__file__).parent
NO_QEMU = ("fast", "property", "processes", "memory", "avocado", "compiler")
"""Folders whose tests need none."""

WATCHED = (
    *("advice", "advice_of_a_look", "advice_once_decided", "answers_to_samples", "avocado_vt_log", "chart_of_trace"),
    *("checks", "chunks_in_bounds", "collapsed_lines", "contrast", "cpu", "date_lines", "decode", "doubtful_looks"),
    *("downsample", "downtime", "equivalence", "example_texts", "expectations", "faults", "fields_and_tables"),
    *("floors", "golden", "guest_progress", "hugepages", "integrity", "limits_in_logs", "lines", "lines_at_once"),
    *("log_clock", "log_figures", "log_lines", "log_stamps", "look", "machines", "many_passes", "narrowing"),
    *("now_text", "order_of_exports", "order_of_texts", "outcomes", "pages_of_the_guest"),
    *("posted_logs", "posts", "predicted_downtime", "product_log_events", "product_logs"),
    *("qmp_messages", "readings_on_record", "rounds", "samples", "scores", "selftest"),
    *("short_passes", "snapshot", "strip_dots", "telemetry", "too_fast", "trace_file", "trace_model"),
    *("traffic_faults", "trial_edges", "units", "updates", "virsh_jobs"),
    *("whole_verdicts", "whose_figures"),
)
"""Quick tests that together go through nearly all of the core, in a tenth of the time of all. Its branch coverage is of
these: to watch the others takes longer than that, and adds some 2 %.
"""

leftovers.mark()

# The same examples in each run, however long each takes, so that none fails by chance; `--hypothesis-profile default`
# looks for others.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=FULL)
settings.register_profile("fewer", settings.get_profile("repeatable"), max_examples=FULL // 5)
settings.load_profile("repeatable")


def pytest_configure():
    """Heed the signals that tests end processes by: what nohup or a script starts in the background ignores some."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)


def pytest_ignore_collect(collection_path, config):
    """Read no module of which `-m watched` or `-m 'not watched'` runs nothing, as reading all takes seconds."""
    asked = {"watched": True, "not watched": False}.get(config.option.markexpr)
    of_the_other = asked is not None and collection_path.is_file() and _is_watched(collection_path) != asked
    return True if of_the_other else None


def pytest_collection_modifyitems(items):
    """What the whole of a folder needs is told by its name; some tests in it need more, and say so."""
    for item in items:
        item.add_marker(_folder(item))
        if _is_watched(item.path):
            item.add_marker("watched")


def pytest_collection_finish():
    """Thousands of tests, which live to the end, are not to be looked through by each collection of garbage."""
    gc.collect()
    gc.freeze()


def _folder(item):
    return _folder_of(item.path)


@cache
def _folder_of(path):
    return path.relative_to(HERE).parts[0]


@cache
def _is_watched(path):
    return _folder_of(path) == "fast" and path.stem.removeprefix("test_") in WATCHED


@cache
def _watch(config):
    directory = tempfile.TemporaryDirectory(prefix="no-qemu-")
    config.add_cleanup(directory.cleanup)
    return no_qemu.Watch(Path(directory.name))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    """Watch for a QEMU from the beginning of a test that needs none: by no fixture, as that takes as long as a test."""
    if _folder(item) in NO_QEMU:
        watch = _watch(item.config)
        os.environ["PATH"] = f"{watch.path}:{os.environ['PATH']}"
        watch.begin()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item):
    """Fail it at its end if it has started one."""
    if _folder(item) not in NO_QEMU:
        return (yield)
    watch = _watch(item.config)
    try:
        return (yield)
    finally:
        os.environ["PATH"] = os.environ["PATH"].removeprefix(f"{watch.path}:")
        assert not watch.end(), "a test that needs no QEMU has started one"


@pytest.fixture(scope="session")
def qemu_watch(pytestconfig):
    return _watch(pytestconfig)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache that is empty, for this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Calls a function with a directory and what more is given: once, whichever tests look at what comes of it."""
    return cache(lambda run, *given: run(tmp_path_factory.mktemp(run.__name__), *given))


@pytest.fixture(scope="session")
def warm():
    """Runs commands of the package in processes that need not import it first."""
    made = Warm()
    yield made
    made.close()


@pytest.fixture
def sockets():
    """A directory with a path short enough for UNIX sockets: pytest's own is not."""
    path = Path(tempfile.mkdtemp(prefix="mdt-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def ordinary_user():
    """One who is not root."""
    with OrdinaryUser.with_home() as user:
        yield user


@pytest.fixture(scope="session")
def user(ordinary_user):
    """One who is not root, on a host that has what a set-up needs, with a checkout in which nothing is set up."""
    subprocess.run([TOP / "tools/packages", "venv", "qemu-system-ppc64", "tc"], env={"PATH": PATH}, check=True)
    ordinary_user.given()
    return ordinary_user


@pytest.fixture(scope="session")
def set_up_begun(user):
    """This user's set-up under way."""
    with user.setting_up() as begun:
        yield begun


@pytest.fixture(scope="session")
def environment(user, set_up_begun):
    """Where the programs of this user's set-up are."""
    return user.programs(set_up_begun)


@pytest.fixture(scope="session")
def ci_job(tmp_path_factory):
    """The job of docs/ci.md, its set-up under way."""
    with ci_jobs.begun_job(tmp_path_factory.mktemp("ci-job")) as job:
        yield job


@pytest.fixture(scope="session", autouse=True)
def begun_ahead(request):
    """What tests of this process will need is set up while others run; not beside other processes with tests.

    Nor is that of the user, where a test asks for one who has nothing set up.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    asked = [set(item.fixturenames) for item in request.session.items]
    if any("ci_job" in names for names in asked):
        request.getfixturevalue("ci_job")
    if any("environment" in names for names in asked) and all(
        "environment" in names for names in asked if "user" in names
    ):
        request.getfixturevalue("set_up_begun")


@pytest.fixture(scope="session")
def slow_link_run(user, environment):
    """Does what `slow_link.left` does, and does it once."""
    return cache(lambda: slow_link.left(user, environment))


@pytest.fixture
def launch(tmp_path):
    """Start guests, as `dirtier_guest.Launch`; all are ended with the test."""
    guests = []

    def start(shape, orders, *more, ram_bytes=256 * MIB):
        directory = tmp_path / str(len(guests))
        directory.mkdir()
        guests.append(Guest(directory, shape, orders, ram_bytes, *more))
        return guests[-1]

    yield start
    for guest in guests:
        guest.end()


@pytest.fixture
def nothing_left(request):
    """Fails the test if it leaves a QEMU, a mount, a directory, a network or, where no other takes any, hugepages."""
    is_alone = bool(request.node.get_closest_marker("alone"))
    takes_hugepages = bool(request.node.get_closest_marker("hugepages"))

    def there():
        of_the_host = shared_resources() if is_alone else hugepage_pools() if takes_hugepages else set()
        return traces_of_runs() | network_namespaces(own=True, mounted=is_alone) | of_the_host

    before = there()
    yield
    left = set()

    def gone():
        nonlocal left
        left = there() - before
        return not left

    with suppress(AssertionError):
        until(gone, every_s=0.1)
    assert not left
