# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a run was given up because nothing was sent any more."""

import numpy as np

from ..trace.samples import Samples

_LONG_S = 5.0
"""Much longer than a sending window, on any link over which a migration can complete."""


def why_stalled(samples: Samples) -> str:
    """How long the source had sent nothing at the last sample, and where to look; '' if that is short."""
    rows = np.flatnonzero(~np.isnan(samples.transferred_bytes))
    if not len(rows):
        return ""
    at_s, sent_bytes = samples.t_s[rows], samples.transferred_bytes[rows]
    idle_s = at_s[-1] - at_s[int(np.argmax(sent_bytes == sent_bytes[-1]))]
    return f"the source QEMU has sent nothing for {idle_s:.0f} s: look at the link" if idle_s >= _LONG_S else ""
