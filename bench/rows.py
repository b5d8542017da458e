# SPDX-License-Identifier: GPL-2.0-or-later
"""Earlier results: JSON lines in bench/tried, under version control, so that no page loses what a run has added.

A row has the date, what was tried, and the result; rows from before dates were kept have none.
"""

import datetime
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TRIED = Path(__file__).parent / "tried"


def rows(path: Path) -> list[dict[str, Any]]:
    """All rows of a file, which may not exist yet."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def without_places(sentence: str) -> str:
    """A command's sentence without the paths of files that it left on this host."""
    return re.sub(r"; (what was recorded is|files) in \S+$", "", sentence)


def add(path: Path, row: Mapping[str, Any]) -> None:
    """Add a row with today's date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps({"date": datetime.date.today().isoformat(), **row}, ensure_ascii=False) + "\n")
