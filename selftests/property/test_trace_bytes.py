# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever bytes are read as a trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse

from ..support.recorded import recording

RECORDING = recording("x86_64-kvm-qemu-7.2")


@given(st.integers(0, 14_000))
def test_a_recording_cut_at_any_byte_gives_a_trace_or_one_sentence(length):
    try:
        assert parse(RECORDING.read_bytes()[:length]).samples
    except UsageError as error:
        assert "\n" not in str(error)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_anything_else_is_refused_in_one_sentence(data):
    with pytest.raises(UsageError, match="^[^\n]+$"):
        parse(data)
