"""Without these, menus of scripts and styles are learned from, or two blocks of a page become one word."""

import pytest

from deftx.core.errors import CorpusError
from deftx.data import web_pages
from deftx.data.documents import text_lines
from deftx.data.reading import find_file


def lines(path, page):
    path.write_bytes(page if isinstance(page, bytes) else page.encode())
    return [line for _, line in text_lines(find_file(path, CorpusError), CorpusError)]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>satu<p>dua", ["satu", "dua"]),
        ("<p>satu <b>du</b>a\n tiga</p>", ["satu dua tiga"]),
        ("satu<br>dua<br/>tiga", ["satu", "dua", "tiga"]),
        ("<div>a<div>b</div>c</div>", ["a", "b", "c"]),
        ("<ul><li>a<li>b</ul>", ["a", "b"]),
        ("<table><tr><td>a<td>b<tr><td>c</table>", ["a", "b", "c"]),
        ("<pre>a\n  b\n</pre>", ["a", "b"]),
        ("<p>caf&eacute; &amp; &#x1F642; &lt;s&gt;</p>", ["café & 🙂 <s>"]),
        ("<p>a</p><script>var x = '<p>b</p>'</script><style>p{}</style><!-- c --><template>d</template>", ["a"]),
        ("<html><head><title>t</title><meta name=a></head><body>a</body></html>", ["a"]),
        ("<select><option>a<option>b</select><svg><text>c</text></svg>d", ["d"]),
        ("a<svg/>b<svg><svg></svg>c</svg>d", ["abd"]),
        ("<!--><p>a</p><!-- <p>b</p> --><!DOCTYPE x><?php c ?>d", ["a", "d"]),
        ("<p title='a > b' alt=\"c>d\">e</p><p title=it's>f</p><P>g</P >h", ["e", "f", "g", "h"]),
        ("2 < 3 and <3 & so", ["2 < 3 and <3 & so"]),
        ("<title>t &lt;b></title>a<textarea><p>b</textarea>c", ["ac"]),
        ("a&#" + "9" * 5_000 + ";b&#x110000;&#xfffffffff;c", ["a\ufffdb\ufffd\ufffdc"]),
        ("a<p b", ["a"]),
        ("a<!-- b", ["a"]),
        ("a<script>b", ["a"]),
        ("", []),
    ],
)
def test_a_page_reads_as_it_is_seen(tmp_path, page, expected):
    assert lines(tmp_path / "a.html", page) == expected
    assert lines(tmp_path / "b.htm", page) == expected


@pytest.mark.parametrize("declared", [b'<meta charset="windows-1252">', b"<meta charset=iso-8859-1>",
    b'<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1">'])  # fmt: skip
def test_the_encoding_that_a_page_declares_is_used(tmp_path, declared):
    assert lines(tmp_path / "a.html", declared + b"<p>l\x92\xe9t\xe9") == ["l’été"]


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("tis-620", "cp874", "“ภาษาไทย"),
        ("iso-8859-9", "cp1254", "“şimdi"),
        ("gb2312", "gb18030", "朱镕基"),
        ("euc-kr", "cp949", "똠방각하"),
        ("Shift_JIS", "cp932", "①番"),
    ],
)
def test_a_declared_encoding_is_read_as_browsers_read_it(tmp_path, declared, encoding, text):
    page = f'<meta charset="{declared}"><p>{text}'.encode(encoding)
    assert lines(tmp_path / "a.html", page) == [text]


def test_a_page_in_utf_8_that_declares_another_encoding_is_utf_8(tmp_path):
    assert lines(tmp_path / "a.html", '<meta charset="latin1"><p>été') == ["été"]


@pytest.mark.parametrize("unit", ["<div>", "<ul><li>", "<p><b><i><u>", "<font a={}>", "<!-", "<a b='", "=<", "</x>", "<a b= ", "<svg>",
    "<!--", "<script>", "&amp", "<a b=\"c'"])  # fmt: skip
def test_no_page_takes_more_than_its_length(tmp_path, unit):
    """A tree of such a page took lexbor a minute for half a megabyte."""
    page = "<p>awal</p>" + "".join(unit.format(number) for number in range(60_000))
    assert lines(tmp_path / "a.html", page)[0] == "awal"


def test_a_page_beyond_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(web_pages, "LARGEST_PAGE", 20)
    with pytest.raises(CorpusError, match="Use a part of it"):
        lines(tmp_path / "a.html", "<p>satu dua tiga empat")
