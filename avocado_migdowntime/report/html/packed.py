# SPDX-License-Identifier: GPL-2.0-or-later
"""What the page holds until it is looked at: compressed, as text that may stand in a script element.

The page's own script unpacks it by the browser's DecompressionStream.
"""

import base64
import json
import zlib
from typing import Any

import numpy as np


def packed(data: bytes) -> str:
    """The same in letters, digits, `+`, `/` and `=`."""
    return base64.b64encode(zlib.compress(data)).decode("ascii")


def packed_figure(figure: dict[str, Any]) -> str:
    """A figure: the length of a JSON text in 4 bytes, the text, and the numbers that it refers to.

    Curves of a picture have their times in common: beside each other, as bytes, they take a third of what they would in
    the text.
    """
    curves: list[bytes] = []

    def refer(curve: Any) -> dict[str, list[int]]:
        at = sum(map(len, curves)) // 4
        # In single precision: a seventh digit is not seen, and half the bytes.
        curves.append(np.asarray(curve).astype("<f4").tobytes())
        return {"floats": [at, curve.size, curve.shape[1] if curve.ndim > 1 else 0]}

    text = json.dumps(figure, default=refer, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return packed(len(text).to_bytes(4, "little") + text + b"".join(curves))
