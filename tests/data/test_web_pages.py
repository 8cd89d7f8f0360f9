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


def test_a_page_in_utf_8_that_declares_another_encoding_is_utf_8(tmp_path):
    assert lines(tmp_path / "a.html", '<meta charset="latin1"><p>été') == ["été"]


def test_parts_one_in_the_other_without_end_are_read(tmp_path):
    assert lines(tmp_path / "a.html", "<div>" * 50_000 + "dalam") == ["dalam"]


def test_a_page_beyond_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(web_pages, "LARGEST_PAGE", 20)
    with pytest.raises(CorpusError, match="Use a part of it"):
        lines(tmp_path / "a.html", "<p>satu dua tiga empat")
