# SPDX-License-Identifier: GPL-2.0-or-later
"""What was tried so far: JSON lines in bench/tried, under version control, so that no page loses what a run has added.

A row says when and what was tried, and what came of it; the rows of before the dates were kept have none.
"""

import datetime
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TRIED = Path(__file__).parent / "tried"


def rows(path: Path) -> list[dict[str, Any]]:
    """All rows of a file, which may not be there yet."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def without_places(sentence: str) -> str:
    """What a command says, without where it has left files on this host."""
    return re.sub(r"; (what was recorded is|files) in \S+$", "", sentence)


def add(path: Path, row: Mapping[str, Any]) -> None:
    """Add a row, with today's date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps({"date": datetime.date.today().isoformat(), **row}, ensure_ascii=False) + "\n")
