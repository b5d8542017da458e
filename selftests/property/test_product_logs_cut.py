# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs of products cut anywhere, with lines of others between theirs, and garbled: nothing is made up."""

from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.reading import Reading
from avocado_migdowntime.verdict.judge import judge

from ..support import product_logs
from ..support.documents import TOP
from ..support.product_logs import items, logged, looks

FORMS = [
    product_logs.proxmox_old,
    product_logs.proxmox_new,
    product_logs.nova,
    product_logs.kubevirt,
    product_logs.kubevirt_bytes,
    product_logs.vdsm_mbps,
    product_logs.vdsm_mib,
]
RECORDED = looks("x86_64-kvm-qemu-7.2-limit-700ms", 1.5)
LOGS = {form.__name__: logged(form, RECORDED) for form in FORMS}
TEXTS = [path.read_bytes() for path in sorted((TOP / "selftests" / "texts").glob("*.txt"))]

names = st.sampled_from(sorted(LOGS))
braces = st.text(st.sampled_from("{}[]\"':, a0"), min_size=40, max_size=90)
others = braces | st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\x1b"), max_size=60)


def figures(data):
    """What each reading shows, by name, without what is worked out."""
    found = []
    for item in items(data):
        if isinstance(item, Reading):
            ram = item.answer.get("ram", {})
            shown = {**{f"ram.{name}": value for name, value in ram.items()}, **item.answer}
            found.append({name: value for name, value in shown.items() if name not in ("ram", *item.estimated)})
    return found


@given(names, st.floats(0, 1))
def test_what_a_log_that_is_cut_off_shows_is_what_the_whole_one_does(name, share):
    data = LOGS[name]
    cut, whole = figures(data[: int(share * len(data))]), figures(data)
    assert cut[:-1] == whole[: len(cut) - 1 if cut else 0]
    if cut:
        assert cut[-1].items() <= whole[len(cut) - 1].items() | {("ram.page-size", 4096)}


@given(names, st.lists(others, min_size=1, max_size=8), st.integers(0, 7))
def test_lines_of_others_change_nothing(name, between, after):
    lines = LOGS[name].decode().splitlines()
    mixed = [*lines[:after], *between, *lines[after:]]
    assert figures("\n".join(mixed).encode()) == figures(LOGS[name])


@given(st.sampled_from([*LOGS.values(), *TEXTS]), st.data())
def test_a_garbled_log_is_read_or_refused_in_a_sentence(data, draw):
    garbled = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 12))):
        garbled[draw.draw(st.integers(0, len(garbled) - 1))] = draw.draw(
            st.sampled_from(b"0123456789 ,:-.MGx{}[]\n\"'")
        )
    try:
        trace = parse(bytes(garbled))
        verdict, advice = judge(trace), advise(trace)
    except UsageError as error:
        assert "\n" not in str(error)
    else:
        assert len(trace.samples) and verdict.reasons and advice.reasons
