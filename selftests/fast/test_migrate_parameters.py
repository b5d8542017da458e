# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrate parameters are held to what the QEMU has that is to run, before any guest is launched."""

import asyncio

import pytest

from avocado_migdowntime.errors import HostRequirementError, UsageError
from avocado_migdowntime.parameters.migrate_parameters import MIGRATE_PARAMETERS
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.planning import check, check_among_themselves
from avocado_migdowntime.qemu.probe import probe
from avocado_migdowntime.qemu.settings import check_taken, typed

from ..support.made_up_qemu import PROBED, made_up_qemu
from ..support.refused import refusal

REFUSED = {name for name, parameter in MIGRATE_PARAMETERS.items() if parameter.refused}
REFUSES = {"error": {"class": "GenericError", "desc": "Parameter 'multifd_channels' expects a value between 1 and 255"}}


@pytest.fixture
def qemu_info(tmp_path, sockets):
    return asyncio.run(probe(made_up_qemu(tmp_path / "qemu"), tmp_path, sockets))


def test_names_and_values_are_taken_apart():
    given = parse({"migrate_parameters": "multifd-channels=4, multifd-compression=zstd"})
    assert given.migrate_parameters == (("multifd-channels", "4"), ("multifd-compression", "zstd"))
    assert parse({}).migrate_parameters == ()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("multifd-channels", "'multifd-channels' is not NAME=VALUE; write it so, such as multifd-channels=4"),
        ("=4", "'=4' is not NAME=VALUE"),
        ("multifd-channels=", "'multifd-channels=' is not NAME=VALUE"),
        ("multifd-channels=4,", "'' is not NAME=VALUE"),
        ("multifd-channels=4,multifd-channels=5", "multifd-channels is given twice; give it once"),
        ("downtime-limit=3", "downtime-limit is a parameter of each run; use downtime_limit instead"),
        (
            "tls-creds=x",
            "tls-creds belongs to credentials, which the test makes itself; use tls=psk or tls=x509 instead",
        ),
    ],
)
def test_what_is_none_is_a_sentence(given, words):
    with pytest.raises(UsageError) as caught:
        parse({"migrate_parameters": given})
    assert str(caught.value).startswith(f"parameter migrate_parameters: {words}")


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refusal_says_what_to_try(name):
    with pytest.raises(UsageError) as caught:
        parse({"migrate_parameters": f"{name}=1"})
    assert str(caught.value).startswith(f"parameter migrate_parameters: {name} ")
    assert str(caught.value).endswith(("leave it out", "instead"))


@pytest.mark.parametrize("mode", ["cpr-reboot", "cpr-transfer", "cpr-exec"])
def test_a_mode_that_sends_no_ram_is_lacking(mode):
    with pytest.raises(
        HostRequirementError, match="^mode keeps RAM in place, in any mode but normal: QEMU then sends no RAM"
    ):
        check_among_themselves(parse({"migrate_parameters": f"announce-max=7,mode={mode}"}))


def test_the_mode_that_sends_ram_is_taken():
    check_among_themselves(parse({"migrate_parameters": "mode=normal"}))


@pytest.mark.parametrize("name", sorted(set(MIGRATE_PARAMETERS) - REFUSED - {"mode"}))
def test_each_other_one_is_taken_with_the_capabilities_that_it_needs(name):
    setting = MIGRATE_PARAMETERS[name]
    where = {"link": "file"} if "mapped-ram" in setting.needs else {}
    where |= {"accel": "kvm"} if "dirty-limit" in setting.needs else {}
    given = {"migrate_parameters": f"{name}=1", "capabilities": ",".join(setting.needs), **where}
    check_among_themselves(parse(given))
    if setting.needs:
        with pytest.raises(
            UsageError, match=f"^migrate parameter {name} .*; give capabilities={','.join(setting.needs)}"
        ):
            check_among_themselves(parse({**given, "capabilities": ""}))


def test_values_get_the_types_that_this_qemu_has(qemu_info):
    given = [("multifd-channels", "4"), ("multifd-compression", "zstd"), ("cpu-throttle-tailslow", "on")]
    settings = typed(qemu_info, [*given, ("warp-name", "nine")])
    assert settings == {
        "multifd-channels": 4,
        "multifd-compression": "zstd",
        "cpu-throttle-tailslow": True,
        "warp-name": "nine",
    }
    assert settings["cpu-throttle-tailslow"] is True
    assert typed(qemu_info, [("multifd-channels", "64M")]) == {"multifd-channels": 64 << 20}


@pytest.mark.parametrize(
    ("name", "value", "kind", "words"),
    [
        (
            *("zero-page-detection", "none", HostRequirementError),
            "QEMU 7.2.0 has no migrate parameter zero-page-detection; see what query-migrate-parameters shows, "
            "or give another `qemu`",
        ),
        (
            *("multifd-compression", "qpl", HostRequirementError),
            "migrate parameter multifd-compression of QEMU 7.2.0 can be none, zstd, not 'qpl'; give one of these",
        ),
        (
            *("multifd-compression", "zst", UsageError),
            "migrate parameter multifd-compression of QEMU 7.2.0 can be none, zstd, not 'zst'; did you mean zstd?",
        ),
        (
            *("multifd-channels", "four", UsageError),
            "migrate parameter multifd-channels of QEMU 7.2.0 is a whole number and at least 0, not 'four'; "
            "give one, such as 4 or 64M",
        ),
        (
            *("multifd-channels", "-1", UsageError),
            "migrate parameter multifd-channels of QEMU 7.2.0 is a whole number and at least 0, not '-1'; "
            "give one, such as 4 or 64M",
        ),
        (
            *("multifd-chanels", "4", UsageError),
            "QEMU 7.2.0 has no migrate parameter multifd-chanels, and no release is known to have it; did you mean "
            "multifd-channels or multifd-compression or multifd-qatzip-level?",
        ),
        (
            *("cpu-throttle-tailslow", "4", UsageError),
            "migrate parameter cpu-throttle-tailslow of QEMU 7.2.0 is on or off, not '4'; give one of the two",
        ),
        (
            *("block-bitmap-mapping", "x", UsageError),
            "migrate parameter block-bitmap-mapping of QEMU 7.2.0 is not a single value, so it cannot be set here; "
            "leave it out",
        ),
    ],
)
def test_what_this_qemu_lacks_or_refuses_is_one_sentence(qemu_info, name, value, kind, words):
    with pytest.raises(kind) as caught:
        typed(qemu_info, [(name, value)])
    assert str(caught.value) == words


def taken(tmp_path, sockets, settings, capabilities=(), **answers):
    """Set them on a QEMU with these answers."""
    binary = made_up_qemu(tmp_path / "qemu", {**PROBED, **answers})
    info = asyncio.run(probe(binary, tmp_path, sockets))
    asyncio.run(check_taken("settings", info, capabilities, settings, tmp_path, sockets))


def test_a_value_out_of_range_is_refused_in_qemus_own_words(tmp_path, sockets):
    refuses = {"migrate-set-parameters": REFUSES}
    with pytest.raises(UsageError) as caught:
        taken(tmp_path, sockets, {"multifd-channels": 500, "multifd-compression": "zstd"}, **refuses)
    assert str(caught.value) == (
        "QEMU 7.2.0 refuses migrate_parameters=multifd-channels=500,multifd-compression=zstd: Parameter "
        "'multifd_channels' expects a value between 1 and 255; give another value"
    )
    taken(tmp_path, sockets, {"multifd-compression": "zstd", "cpu-throttle-tailslow": True}, **refuses)


def test_capabilities_that_exclude_each_other_are_refused_in_qemus_own_words(tmp_path, sockets):
    refuses = {"migrate-set-capabilities": {"error": {"class": "a", "desc": "Multifd is not compatible with xbzrle"}}}
    with pytest.raises(UsageError) as caught:
        taken(tmp_path, sockets, {}, ("multifd", "dirty-limit", "xbzrle"), **refuses)
    assert str(caught.value) == (
        "QEMU 7.2.0 refuses capabilities=multifd,xbzrle: Multifd is not compatible with xbzrle; give others"
    )
    taken(tmp_path, sockets, {}, ("dirty-limit",), **refuses)


def test_a_value_that_qemu_ignores_is_told_before_a_guest_is_launched(tmp_path, sockets):
    """QEMU 7.2 takes any multifd-zlib-level, and goes on with 1."""
    answers = {
        "migrate-set-parameters": {},
        "query-migrate-parameters": {"multifd-channels": 4, "multifd-zlib-level": 1},
    }
    with pytest.raises(HostRequirementError) as caught:
        taken(tmp_path, sockets, {"multifd-channels": 4, "multifd-zlib-level": 5}, **answers)
    assert str(caught.value) == (
        "QEMU 7.2.0 ignores migrate parameter multifd-zlib-level=5, which stays 1; leave it out, or give another `qemu`"
    )
    taken(tmp_path, sockets, {"multifd-channels": 4, "not-shown": 1}, **answers)


def test_one_that_an_end_has_not_is_found_before_a_guest_is_launched(qemu_info):
    with pytest.raises(HostRequirementError, match="QEMU 7.2.0 has no migrate parameter zero-page-detection"):
        check(qemu_info, parse({"arch": "x86_64", "migrate_parameters": "zero-page-detection=none"}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"tls": "psk", "link": "exec"},
            "tls=psk needs a link over which the destination can answer, but link=exec goes",
        ),
        (
            {"tls": "x509", "link": "file"},
            "tls=x509 needs a link over which the destination can answer, but link=file",
        ),
        (
            {"destination_host": "lab2", "link": "fd"},
            "link=fd works within one host, but destination_host=lab2 names another; leave one of them out",
        ),
        (
            {"source_host": "lab1", "postcopy": "recovery", "capabilities": "postcopy-ram"},
            "postcopy=recovery works within one host, but source_host=lab1 names another; use postcopy=yes, or",
        ),
        (
            {"destination_host": "lab2", "shared_disk": "64M"},
            "a shared_disk is a file on one host, but destination_host=lab2 names another; leave it out, or name",
        ),
        ({"postcopy": "yes"}, "postcopy=yes needs the capability postcopy-ram; give capabilities=postcopy-ram, or"),
        (
            {"migrate_parameters": "multifd-channels=4"},
            "does nothing without the capability multifd; give ",
        ),
    ],
)
def test_what_does_not_go_together_is_told_before_anything_is_launched(given, words, tmp_path):
    said = refusal(given, tmp_path)
    assert words in said


def test_a_file_is_for_releases_that_write_one(qemu_info):
    with pytest.raises(
        HostRequirementError, match=r"^QEMU 7.2.0 cannot migrate to a file by itself, as QEMU 8.2 and later can"
    ):
        check(qemu_info, parse({"arch": "x86_64", "link": "file"}))
