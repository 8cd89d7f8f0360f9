"""Wiki markup of dumps and page sources: finding it in a text, and removing it from single lines.

mwparserfromhell is not used: it knows neither files nor categories, and reads a template or a table only as a whole, whereas
a line of a corpus often has only a part of one.
"""

from collections.abc import Callable, Iterable

import regex

# What hardly occurs outside of wiki markup. "[[" and "{{" alone are not enough: other notations have them too.
_SIGNS = regex.compile(
    r"\{\{[^\W\d#]|\[\[[^\[\]]+\]\]|^\s*(?:\{\||\|[}\-+]|={2,6}[^=]+={2,6}\s*$)|'''|</?ref[\s>/]|(?-i:__[A-Z]{4,}__)",
    regex.IGNORECASE,
)
_TEMPLATE = regex.compile(r"\{\{(?:[^{}]|\{(?!\{)|\}(?!\}))*\}\}")  # without another one inside, as links below
_TABLE = regex.compile(r"\{\|(?:(?!\{\|).)*?\|\}")
_OPEN_TEMPLATE = regex.compile(r"\{\{.*$")  # of several lines: its first line
_EDGE = regex.compile(r"\s*(?:\{\||\|[-}+])")  # a line that begins or ends a table or a row of it
# The lines of a table, and the parameters of a template. Also lines of languages that write clicks as "|" and "!".
_INSIDE = regex.compile(r"\s*(?:\||![^!|]*(?:!!|\|))")
_UNREAD = regex.compile(
    r"<(ref|gallery|math|timeline|syntaxhighlight|source)\b[^<>]*?(?:/>|>.*?(?:</\1>|$))|(?-i:__[A-Z]{4,}__)|~{3,5}",
    regex.IGNORECASE,
)
_LINK = regex.compile(r"\[\[((?:[^\[\]]|\[(?!\[)|\](?!\]))*)\]\]")
_DEPTH = 8  # templates in templates, links in the captions of files
_FILE = regex.compile(
    r"\.(?:jpe?g|png|gif|svg|webp|tiff?|ogg|og[av]|webm|mp[34]|wav|flac|pdf|djvu|xcf)\s*$", regex.IGNORECASE
)
_NAMESPACED = regex.compile(r"[^\W\d]+(?: [^\W\d]+)?:(?=[^\W\d])")  # "Category:Towns", but not "Ezra 4:2"
# Categories, other languages and redirects.
_ONLY_LINKS = regex.compile(rf"\s*(?:\[\[{_NAMESPACED.pattern}[^\[\]]*\]\]\s*|#\w+\s*\[\[[^\[\]]*\]\]\s*)+")
_EXTERNAL = regex.compile(r"\[(?:https?:|ftp:)?//[^\s\[\]]+(?:\s++([^\[\]]*))?\]", regex.IGNORECASE)
_ITALIC = regex.compile(r"(?<!\w)''(?=\S)(.{1,200}?)(?<=\S)''(?!')")
_HEADING = regex.compile(r"(={1,6})([^=].*[^=])\1")
_BULLET = regex.compile(r"^\s*(?:\*+|#+)\s+")


def wiki_lines(lines: Iterable[str]) -> int:
    """Return the number of lines with signs of wiki markup."""
    return sum(_SIGNS.search(line) is not None for line in lines)


def has_blocks(lines: Iterable[str]) -> bool:
    """Return whether a text has tables or templates of several lines."""
    return any(_EDGE.match(line) or _OPEN_TEMPLATE.search(_TEMPLATE.sub("", line)) for line in lines)


def without_wiki_markup(line: str, blocks: bool = True) -> str:
    """Return what a reader of the page sees of a line; lines of tables, files and categories become empty.

    ``blocks`` says whether the text has tables or templates of several lines: only then is a line that begins with "|" one
    of theirs.
    """
    if not any(sign in line for sign in "{|}[]'=<_~*#!"):
        return line
    if _ONLY_LINKS.fullmatch(line):
        return ""
    text = _TABLE.sub(" ", _without_nested(_TEMPLATE, lambda _: " ", _UNREAD.sub(" ", line)))
    if _EDGE.match(text) or (blocks and _INSIDE.match(text)):
        return ""
    text = _OPEN_TEMPLATE.sub(" ", text).replace("}}", " ")
    text = _without_nested(_LINK, lambda found: _seen_of_link(found[1]), text)
    text = _EXTERNAL.sub(lambda found: found[1] or " ", text)
    text = _ITALIC.sub(r"\1", regex.sub(r"'{3,}", "", text))
    heading = _HEADING.fullmatch(text.strip())
    return _BULLET.sub("", heading[2] if heading else text, count=1)


def _without_nested(pattern: regex.Pattern, seen: Callable[[regex.Match], str], text: str) -> str:
    """Replace the innermost matches until none is left, since a recursive pattern can take quadratic time."""
    for _ in range(_DEPTH):
        text, count = pattern.subn(seen, text)
        if not count:
            break
    return text


def _seen_of_link(content: str) -> str:
    """Return what a reader sees of a link: its last part, or nothing for a file, a category or another language."""
    target, *others = content.split("|")
    if _FILE.search(target) or (not others and _NAMESPACED.match(target)):
        return " "
    seen = others[-1].strip() if others else target.removeprefix(":")
    return seen or regex.sub(r"^[^:]*:|\s*\([^()]*\)$", "", target)  # [[Padang (town)|]] shows "Padang"
