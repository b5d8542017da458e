# SPDX-License-Identifier: GPL-2.0-or-later
"""Where what was made or fetched once is kept."""

import os
from pathlib import Path


def cache_directory() -> Path:
    """`$XDG_CACHE_HOME/avocado_migdowntime`, by default below `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser().absolute() / "avocado_migdowntime"
