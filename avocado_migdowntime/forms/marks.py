# SPDX-License-Identifier: GPL-2.0-or-later
"""Removes from a line what terminals, typesetting, web pages and issue trackers have added."""

import re
from html import unescape

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[@-Z\\-_=>])")
_SHOWN_ESCAPES = re.compile(
    r"(?:\^\[|#033|\\u001b|\\x1b|\\e|\\033|\u241b)\[[\d;]{0,20}[mK]|\[(?:\d{1,3}(?:;\d{1,3})*)?m"
)
"""Escape sequences that were made visible, or that lost their first character."""
_TAGS = re.compile(r"</?(?:span|td|th|b|i|u|a|em|strong|font|tt|samp|kbd|code)\b[^<>]*>")
_ENDS = re.compile(
    r"(?:</?(?:pre|br|p|div|li|tr|ul|ol|dl|dt|dd|table|tbody|thead|blockquote|h[1-6]|hr|html|head|title|body|details"
    r"|summary|section|article|main)\b[^<>]*>\s*)+"
)
"""Tags at which a line of a web page ends."""
_MOST_TIMES = 3
"""The number of times that text may have been escaped for the web."""
_UNSEEN = {ord(letter): None for letter in "\0\a\v\f\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"}
_UNSEEN |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_BLANKS = dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_HYPHENS = dict.fromkeys((0x2010, 0x2011, 0x2212), "-")
_LIGATURES = dict(enumerate(("ff", "fi", "fl", "ffi", "ffl"), 0xFB00))
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_AS_TYPED = {**_UNSEEN, **_BLANKS, **_HYPHENS, **_LIGATURES, **_WIDE}
_STRAIGHT = {0x201C: '"', 0x201D: '"', 0x201E: '"'}
_TRACKERS = re.compile(r"\{(?:code|noformat|quote|panel|color)(?::[^{}]*)?\}")
"""Jira's markup."""
_FORUMS = re.compile(
    r"^(?:\[/?(?:code|icode|quote|pre|spoiler|plain|size|color|font|[biu])(?:=[^\[\]]{0,80})?\])+"
    r"|(?:\[/(?:code|icode|quote|pre|spoiler|plain|size|color|font|[biu])\])+$",
    re.IGNORECASE,
)
"""The marks of forums, at the ends of a line."""
_LONE_QUOTE = re.compile(r"\"(?=\(qemu\)|[A-Za-z][\w -]{0,40}: )([^\"]*)|([A-Za-z][\w -]{0,40}: [^\"]*)\"")
"""The first and the last line of a text in a cell of comma-separated values."""
_BACKSLASHED = re.compile(r"(?<!\\)\\([_*])")
_EMPHASIS = re.compile(r"^\*(?=[A-Za-z])([^*]+)\*")
_BARS = "|\u2502\u2503"
_OF_A_WIKI = re.compile(r"(?:\|(?=[^|].*\|\|)|!(?=[^!].*!!))([^|!].*[^|!])")
"""A row of a table in MediaWiki's markup, or its head."""
_BETWEEN_ROWS = re.compile(r"\{\|[^|]*|\|[-}]")


def without_escapes(text: str) -> str:
    """The text without a terminal's colours."""
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    return _SHOWN_ESCAPES.sub("", text) if "[0m" in text or "[m" in text else text


def without_tags(text: str) -> str:
    """The text without a web page's tags, and with its entities decoded; a line ends at `\\r` where a tag ends one."""
    text = _ENDS.sub("\r", _TAGS.sub("", text)).strip("\r")
    for _ in range(_MOST_TIMES):
        before, text = text, unescape(text)
        if text == before:
            break
    return text


def with_straight_quotes(text: str) -> str:
    """The text with straight quotes in place of typographic ones, unless it already has straight ones of that kind."""
    if ("\u201c" in text or "\u201d" in text) and '"' not in text:
        text = text.translate(_STRAIGHT)
    if "\u2019" in text and "'" not in text:
        text = text.replace("\u2018", "'").replace("\u2019", "'")
    return text


def as_typed(text: str) -> str:
    """The text with ASCII characters in place of typographic ones, and without invisible ones."""
    return text if text.isascii() and text.isprintable() else text.translate(_AS_TYPED)


def without_markup(text: str) -> str:
    """The line without Markdown's and Jira's marks of emphasis, code and line ends."""
    if "{" in text and "}" in text:
        text = _TRACKERS.sub("", text).strip()
        if text.startswith("{{") and text.endswith("}}") and '"' not in text and "'" not in text:
            text = text[2:-2]
    if "*" in text:
        text = _EMPHASIS.sub(r"\1", text.replace("**", ""))
    if "`" in text and not text.startswith(("{", "[")):
        text = text.replace("`", "")
    if "\\" in text:
        text = _BACKSLASHED.sub(r"\1", text)
        if text.endswith("\\") and not text.endswith("\\\\"):
            text = text[:-1]
    return text.strip()


def without_marks_at_ends(text: str) -> str:
    """The line without a forum's marks, and without a quotation mark of which the other one is on another line."""
    if text[0] == "[" or text[-1] == "]":
        text = _FORUMS.sub("", text).strip()
    if text.count('"') == 1 and (match := _LONE_QUOTE.fullmatch(text)):
        text = match[1] or match[2]
    return text


def panes_in(text: str) -> list[str]:
    """What stands on both sides of the line that a terminal draws between two panes, if a name and its figure do."""
    if "\u2502" not in text or text[0] in _BARS:
        return []
    panes = [pane.strip() for pane in text.split("\u2502")]
    return panes if len(panes) == 2 and any(": " in pane for pane in panes) else []


def out_of_table(text: str) -> str:
    """A table row of two cells as `name: value`, one of one cell as its text; any other line unchanged.

    In MediaWiki's markup, a row of more cells is returned in Markdown's, and a line between rows as an empty one.
    """
    if _BETWEEN_ROWS.fullmatch(text):
        return ""
    if match := _OF_A_WIKI.fullmatch(text):
        text = f"|{match[1].replace('!!', '||').replace('||', '|')}|"
    if not text or text[0] not in _BARS or text[-1] != text[0] or len(text) < 3:
        return text
    cells = [cell.strip() for cell in text[1:-1].split(text[0])]
    if len(cells) == 1:
        return cells[0]
    if len(cells) > 2:
        return text
    name, value = cells
    return f"{name.removesuffix(':')}: {value}" if re.search("[A-Za-z]", name) else value


def is_row(text: str) -> bool:
    """Whether the line is a row of at least three cells with figures or names."""
    return text.count("|") > 1 and ": " not in text and (text.count(" | ") > 1 or text[0] == text[-1] == "|")
