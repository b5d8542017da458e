# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a text without what is put around them: what is left of each, and when it was logged."""

import json

import pytest

from avocado_migdowntime.forms.foreign import of_bytes
from avocado_migdowntime.forms.lines import Lines
from avocado_migdowntime.trace.reading import Stamp

AT = 1_715_515_026
LONG = "transferred ram: 42407 kbytes of the ram of the guest"


def lines(*raw):
    """The text of each line that these make, read one after another."""
    reader = Lines()
    return [line.text for one in raw for line in reader.of(one if isinstance(one, bytes) else one.encode(), 7.0)]


@pytest.mark.parametrize(
    ("raw", "texts"),
    [
        ("a\n", ["a"]),
        ("a\r\n", ["a"]),
        ("a\rb\n", ["a", "b"]),
        (b"caf\xe9: 7\n", ["caf\ufffd: 7"]),
        ("\x1b[1ma\x1b[0m", ["a"]),
        ("<pre>a &lt; b</pre>", ["a < b"]),
        ("a &amp; b", ["a & b"]),
        ("<code>a</code>", ["a"]),
        ("\u201ca\u201d", ["a"]),
        ('\u201ca\u201d is "b"', ['\u201ca\u201d is "b"']),
        ("guest\u2019s \u2018own\u2019", ["guest's 'own'"]),
        ("guest\u2019s 'own'", ["guest\u2019s 'own'"]),
        ("a\u200bb\u00a0c", ["ab c"]),
        ("> | * a", ["a"]),
        ("a\0b\a\fc", ["abc"]),
        ('"a ""b"""', ['a "b"']),
        ('"a \\"b\\"",', ['a "b"']),
        ('see "a\\n b\\nc"', ["a", "b", "c"]),
        ('see "a\\tb"', ['see "a\\tb"']),
        ('{"return": "a\\nb"}', ['{"return": "a\\nb"}']),
        ('{"name": "a\\nb"}', ["a", "b"]),
        ('{"msg": "a\\n b"}', ["a", "b"]),
        ('2024-05-12T11:57:06Z host1 qemu[1]:    "text": "a\\n b",', ["a", "b"]),
        ('{"msg": 7}', ['{"msg": 7}']),
        ('{"msg": "a"', ['{"msg": "a"']),
        ('see "{\\"a\\": 7}"', ['{"a": 7}']),
        ('see "[{\\"a\\": 7}]"', ['[{"a": 7}]']),
    ],
)
def test_a_line_is_without_what_is_around_it(raw, texts):
    assert lines(raw) == texts


@pytest.mark.parametrize(
    ("raw", "texts"),
    [
        ((f"{LONG}=", "x"), [f"{LONG}x"]),
        ((f"> {LONG}=", "> x"), [f"{LONG}x"]),
        ((f">{LONG}=", "> x=3D", "a=3Db"), [f"{LONG}x=", "a=b"]),
        ((f"{LONG}=", "> x"), [f"{LONG}> x"]),
        (("a=", "x"), ["a=", "x"]),
        ((f"{'a' * 40}=", "x"), [f"{'a' * 40}x"]),
        ((f"{'a' * 39}=", "x"), [f"{'a' * 39}=", "x"]),
        ((f"{'a' * 76}=", "x"), [f"{'a' * 76}x"]),
        ((f"{'a' * 77}=", "x"), [f"{'a' * 77}=", "x"]),
        ((f"{'a' * 76}=", f"{'b' * 76}=", "c=", "d"), [f"{'a' * 76}{'b' * 76}cd"]),
        ((f"{'a' * 76}=", f"{'b' * 77}=", "d"), [f"{'a' * 76}{'b' * 77}=", "d"]),
        (("a=41 b", "c=3Dd", "a=41 b"), ["a=41 b", "c=d", "aA b"]),
        (("a=20", "b=41"), ["a", "bA"]),
        (("=C2=A0a", "b=41"), ["a", "bA"]),
        (("a=C3=A9=3D",), ["a\u00e9="]),
    ],
)
def test_what_a_mail_program_has_encoded_is_as_it_was(raw, texts):
    assert lines(*raw) == texts


@pytest.mark.parametrize(
    ("logged", "stamp"),
    [
        ({"ts": AT}, Stamp(AT, 1.0)),
        ({"ts": AT + 0.5}, Stamp(AT + 0.5, 0.001)),
        ({"ts": 0.5}, Stamp(0.5, 0.001)),
        ({"ts": True}, None),
        ({"ts": 0}, None),
        ({"ts": 1e11}, None),
        ({"ts": None}, None),
        ({"ts": str(AT)}, None),
        ({"__REALTIME_TIMESTAMP": f"{AT}546232"}, Stamp(AT + 0.546232, 1e-6)),
        ({"timestamp": "2024-05-12T11:57:06.5Z"}, Stamp(AT + 0.5, 0.1)),
        ({"time": "2024-05-12T11:57:06.5Z", "ts": 7}, Stamp(AT + 0.5, 0.1)),
        ({"timestamp": "then", "asctime": "2024-05-12 11:57:06,500"}, Stamp(AT + 0.5, 0.001)),
        ({}, None),
    ],
)
@pytest.mark.parametrize("name", ["msg", "message", "MESSAGE", "log", "textPayload"])
def test_what_a_program_logs_in_an_object_is_of_the_time_that_it_says(name, logged, stamp):
    (line,) = Lines().of(json.dumps({name: " a: 7 ", **logged}).encode(), 7.0)
    assert (line.text, line.message, line.arrived_s) == ("a: 7", "a: 7", 7.0)
    assert (line.stamp and (line.stamp.t_s, line.stamp.tick_s)) == (stamp and pytest.approx((stamp.t_s, stamp.tick_s)))


def test_a_time_within_comes_first_and_that_before_the_object_last():
    object_ = json.dumps({"msg": "2024-05-12 11:57:08 a", "ts": AT})
    assert [line.stamp.t_s for line in Lines().of(f"2024-05-12 11:57:01 {object_}".encode(), 0)] == [AT + 2]
    bare = json.dumps({"msg": "a"})
    assert [line.stamp.t_s for line in Lines().of(f"2024-05-12 11:57:01 {bare}".encode(), 0)] == [AT - 5]


@pytest.mark.parametrize(("strange", "many", "is_text"), [(2, 98, True), (3, 97, False), (1, 48, False), (1, 49, True)])
def test_a_text_has_few_control_characters(strange, many, is_text):
    assert (of_bytes(b"\x01" * strange + b"a" * many) is None) is is_text
    assert of_bytes(b"\t\n\v\f\r\a\b\x1b" * 9) is None
    assert [of_bytes(bytes([code]) * 9) is None for code in (0, 1, 14, 31, 32)] == [False, False, False, False, True]


@pytest.mark.parametrize(
    ("data", "is_text"),
    [
        (b"\xff\xfe" + bytes(90), True),
        (b"\xfe\xff" + bytes(90), True),
        (b"a\0" * 71 + b"ab" * 29, True),
        (b"\0a" * 71 + b"ab" * 29, True),
        (b"a\0" * 69 + b"ab" * 31, False),
        (b"a\0" * 50 + b"\0\0" * 30 + b"ab" * 20, True),
        (b"a\0" * 40 + b"\0\0" * 40 + b"ab" * 20, False),
    ],
)
def test_half_of_the_bytes_of_utf_16_are_0(data, is_text):
    assert (of_bytes(data) is None) is is_text
