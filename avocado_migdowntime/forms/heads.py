# SPDX-License-Identifier: GPL-2.0-or-later
"""What logs, tests, wrapper programs and people put before and behind each line of a text, and between lines."""

import re

HEAD = (
    r"(?:(?:[|>)\]:\u2502\u2503\u2013-]|\b(?:DEBUG|INFO|WARN(?:ING)?|ERROR)|^(?:E|[AP]M|\u23bf|\$|\d{1,4})"
    r"|\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?(?: ?[AP]M| ?UTC| (?:19|20)\d\d)*"
    r"|\bstd(?:out|err) [FP]|\u203a [\w.-]+|^[\w.-]+ compute|^[@+]?[\w.-]{1,40}(?=\t)"
    r"|\b\d{8}[-T]\d{6}Z?|^#?[\d.]+(?: [\d.]+)?)\s+"
    r"|^[\w.-]{1,40}:(?=[A-Za-z]))"
)
"""A regular expression for the end of such a prefix: a mark, a level, a time or a number, and then blanks."""

REMARK = r"(?:[<#(\u2190]|//|--)"
"""A regular expression for the start of a remark that somebody added behind a figure."""

AROUND = re.compile(
    r"[{}\[\]]+,?|\"[\w@.-]+\"\s*:.*|_{0,2}[A-Z][A-Z0-9_]*=.*|\w{3} \d{4}-\d\d-\d\d \S+ \w+ \[s=[0-9a-f]+;.*"
)
"""What the journal and others put around a line that they show as an object: its other fields."""
