# SPDX-License-Identifier: GPL-2.0-or-later
"""Compresses what the page does not show at once into text that a script element can hold.

The page's own script unpacks it by the browser's DecompressionStream.
"""

import base64
import json
import zlib
from typing import Any

import numpy as np


def packed(data: bytes) -> str:
    """`data`, compressed, in letters, digits, `+`, `/` and `=`."""
    return base64.b64encode(zlib.compress(data)).decode("ascii")


def packed_figure(figure: dict[str, Any]) -> str:
    """A packed figure: the length of a JSON text in 4 bytes, the text, and the numbers that the text refers to.

    The curves of a picture share their times. Stored together as bytes, they take a third of the room that they would
    take in the text.
    """
    curves: list[bytes] = []

    def refer(curve: Any) -> dict[str, list[int]]:
        at = sum(map(len, curves)) // 4
        # Single precision: nobody sees a seventh digit, and it halves the bytes.
        curves.append(np.asarray(curve).astype("<f4").tobytes())
        return {"floats": [at, curve.size, curve.shape[1] if curve.ndim > 1 else 0]}

    text = json.dumps(figure, default=refer, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return packed(len(text).to_bytes(4, "little") + text + b"".join(curves))
