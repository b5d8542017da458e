# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts of others, made fit to be shown on a terminal."""


def printable(text: str) -> str:
    """`text` with what would move the cursor, change colours or hide it spelt out, such as \\x1b for escape."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
