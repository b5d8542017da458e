# SPDX-License-Identifier: GPL-2.0-or-later
"""A misspelt name is answered with those that are like it."""

from unittest.mock import Mock

import pytest

from avocado_migdowntime.__main__ import main
from avocado_migdowntime.basics.alike import meant
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.parameters.packaged_variants import located
from avocado_migdowntime.plugins import options as plugin_options


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("pagesize", "did you mean page_size?"),
        ("ram", "known are page_size, page_rate"),
        ("", "known are page_size, page_rate"),
        ("page_size" * 1_000_000, "known are page_size, page_rate"),
    ],
    ids=["alike", "unlike", "empty", "long"],
)
def test_names_that_are_alike_are_told_else_all(name, sentence):
    assert meant(name, iter(("page_size", "page_rate"))) == sentence


def test_what_all_names_begin_with_makes_none_of_them_alike():
    assert (
        meant("zzz", ("downtime", "stop-now"), "migdowntime:") == "known are migdowntime:downtime, migdowntime:stop-now"
    )
    assert meant("downtme", ("downtime", "stop-now"), "migdowntime:") == "did you mean migdowntime:downtime?"


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["anlayze", "x"], 2, "argument COMMAND: unknown 'anlayze'; did you mean analyze?; see "),
        (["list", "varints"], 2, "argument KIND: unknown 'varints'; did you mean variants?; see "),
        (["list", "zzz"], 2, "argument KIND: unknown 'zzz'; known are tests, variants, "),
        (["judge", "--page-size=4K"], 129, "a parameter of the test is given as -p page_size=4K; see "),
        (["judge", "--page-size", "4K"], 129, "a parameter of the test is given as -p page_size=4K; see "),
        (["judge", "--migdowntime-page-size", "4K"], 129, "a parameter of the test is given as -p page_size=4K; see "),
        (["judge", "--migdowntime-page-size=4K"], 129, "a parameter of the test is given as -p page_size=4K; see "),
        (["verify", "-p", "page_size", "4K"], 129, "the following arguments are required: --qemu; give each PATH as "),
        (["judge", "-p", "page_size", "4K"], 129, "a parameter of the test is given as -p page_size=4K; see "),
        (["judge", "--tab"], 129, "unrecognized arguments: --tab; did you mean --tap?; see "),
        (["judge", "--zzz"], 129, "unrecognized arguments: --zzz; known are --help, --qemu, --test, "),
        (["verify", "--qemus", "old"], 129, "unrecognized arguments: --qemus; did you mean --qemu"),
        (
            ["verify", "--qemu", "old", "a/new"],
            129,
            "unrecognized arguments: a/new; give each PATH as --qemu PATH; see ",
        ),
        (["verify", "old", "new"], 129, "arguments are required: --qemu; give each PATH as --qemu PATH; see "),
        (["judge", "a/build"], 129, "unrecognized arguments: a/build; give each PATH as --qemu PATH; see "),
        (["record", "--output=a", "--rates=1"], 2, "unrecognized arguments: --rates=1; did you mean --rate"),
        (["record", "a", "-output", "b"], 2, "unrecognized arguments: b; did you mean --output"),
        (["record", "--", "--rates"], 2, "the following arguments are required: --output/-o; see "),
        (["qemu", "add", "--archs", "arm"], 2, "unrecognized arguments: --archs; did you mean --arch?; see "),
        (["analyze", "a", "--jsn"], 2, "unrecognized arguments: --jsn; did you mean --json?; see "),
    ],
)
def test_a_command_line_that_is_nearly_right_is_told_how_it_would_be(words, status, says, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["migdowntime", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == status
    assert says in capsys.readouterr().err


def test_variants_that_are_misspelt_are_told():
    with pytest.raises(UsageError, match=r"^-m defalt: no such file or packaged variant; did you mean default\?$"):
        located("defalt")


def test_a_misspelt_option_of_avocado_run_is_told_from_one_of_another_plugin(monkeypatch):
    monkeypatch.setattr(plugin_options, "LOG_UI", Mock())
    otherwise = Mock()
    plugin_options._refuse(otherwise, "unrecognized arguments: --nonsense 3")
    otherwise.assert_called_once_with("unrecognized arguments: --nonsense 3")
    with pytest.raises(SystemExit, match="^4$"):
        plugin_options._refuse(otherwise, "unrecognized arguments: --nonsense --migdowntime-pagesize=4K")
    said = plugin_options.LOG_UI.error.call_args.args[0]
    assert said.startswith("unrecognized option --migdowntime-pagesize; did you mean --migdowntime-page-size or ")
    otherwise.assert_called_once()
