"""What the page says: the same in every language, looked up when it is said, and in the language of the page."""

import ast
import string
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import gradio as gr
import pytest

from deftx.classify.doubts import SENTENCES
from deftx.data.cleaning import CLEANINGS
from deftx.jobs.state import STATES
from deftx.training.preflight import NOTES
from deftx.training.setting_descriptions import MEANINGS
from ui import strings
from ui.shared import page_languages

MODULES = sorted(Path(page_languages.__file__).parents[1].rglob("*.py"))
TRANSLATED = sorted(set(strings.SPOKEN) - {"en"})
WAITING = 10  # texts that a translation may lack at a time: the page says them in English


def read(code):
    return tomllib.loads((strings.FOLDER / f"{code}.toml").read_text(encoding="utf-8"))


def flat(sections, path=()):
    """Every text by the keys that lead to it."""
    for name, value in sections.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, name))
        elif isinstance(value, list):
            yield from flat(dict(enumerate(value)), (*path, name))
        else:
            yield (*path, name), value


def texts(code):
    return {path: text for path, text in flat(read(code)) if path[0] != "library"}


def blanks(text):
    return Counter((name, form) for _, name, form, _ in string.Formatter().parse(text) if name is not None)


def test_every_name_is_given_once():
    names = Counter(name for section in read("en").values() for name in section)
    assert len(names) > 200
    assert [name for name, count in names.items() if count > 1] == []


def test_every_name_is_used():
    code = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
    unused = [
        n for n in strings.table("en") if f"strings.{n}" not in code and f'"{n}"' not in code and n.lower() not in code
    ]
    assert unused == []


def test_what_the_modules_ask_for_is_there():
    asked = {
        node.attr
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _is_string(node)
    }
    assert len(asked) > 200
    assert asked - set(strings.table("en")) - set(vars(strings)) == set()


def _is_string(node):
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "strings"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_nothing_is_looked_up_before_it_is_said(path):
    """What a module takes while it is imported would stay English on every page."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        node
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(f)
    }
    early = [node.attr for node in ast.walk(tree) if _is_string(node) and node not in inside]
    assert set(early) <= {"SPOKEN"}


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_says_all_of_it_but_what_waits_for_a_translator(code):
    own, english = texts(code), texts("en")
    assert list(own) == [path for path in english if path in own]
    assert len(english) - len(own) <= WAITING
    assert [path for path, text in texts(code).items() if not text.strip()] == []


def test_what_a_translation_lacks_is_said_in_english(tmp_path, monkeypatch):
    for code, text in {"en": '[a]\nA = "one"\n[a.B]\nc = "two"\nd = "three"\n', "xx": '[a.B]\nd = "tiga"\n'}.items():
        (tmp_path / f"{code}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(strings, "FOLDER", tmp_path)
    read_anew = cache(strings.table.__wrapped__)
    monkeypatch.setattr(strings, "table", read_anew)
    assert strings.table("xx") == {"A": "one", "B": {"c": "two", "d": "tiga"}}


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_leaves_the_same_places_to_fill(code):
    english = texts("en")
    assert {p: t for p, t in texts(code).items() if blanks(t) != blanks(english[p])} == {}


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_the_library_says_is_translated_too(code):
    said = {*MEANINGS.values()}
    said |= {text for state in STATES.values() for text in (state.meaning, state.advice)}
    said |= {text for cleaning in CLEANINGS.values() for text in (cleaning.title, cleaning.why)}
    assert said - set(read(code)["library"]["LIBRARY"]) == set()


@pytest.mark.parametrize("code", strings.SPOKEN)
def test_what_the_library_says_by_kind_has_a_sentence_for_each(code):
    said = strings.table(code)
    assert said["DOUBTS"].keys() == SENTENCES.keys()
    assert {kind: {name for name, _ in blanks(text)} for kind, text in said["OUTLOOK_NOTES"].items()} == {
        kind: set(names) for kind, names in NOTES.items()
    }


def test_a_translation_is_one():
    """A file that was copied and forgotten has the names right; most of its words would be English."""
    english = texts("en")
    for code in TRANSLATED:
        same = [path for path, text in texts(code).items() if text == english[path] and any(map(str.isalpha, text))]
        assert len(same) < 0.1 * len(english), same


def test_a_language_is_spoken_inside_a_block_and_no_longer():
    with strings.speaking("es"):
        spanish = strings.QUEUE
        with strings.speaking("id"):
            assert strings.language() == "id"
        assert strings.language() == "es"
    assert spanish == strings.table("es")["QUEUE"] != strings.QUEUE == strings.table("en")["QUEUE"]


def test_handlers_speak_the_language_of_their_page_from_any_thread():
    said = {code: strings.spoken(code, lambda: strings.IDLE) for code in strings.SPOKEN}
    with ThreadPoolExecutor(1) as pool:
        assert {code: pool.submit(f).result() for code, f in said.items()} == {
            code: strings.table(code)["IDLE"] for code in strings.SPOKEN
        }


def test_a_function_that_pauses_is_refused():
    def pauses():
        yield strings.IDLE

    with pytest.raises(TypeError, match="generator"):
        strings.spoken("es", pauses)


def test_a_sentence_of_the_library_without_translation_stays_as_it_is():
    with strings.speaking("es"):
        assert strings.of_library("Never said.") == "Never said."
        assert strings.of_library("Running.") != "Running."


def test_a_name_that_is_not_there_says_where_it_was_looked_for():
    with pytest.raises(AttributeError, match=r"NOWHERE in .*en\.toml"):
        strings.NOWHERE  # noqa: B018


def test_every_handler_of_a_page_speaks_its_language():
    page, heard = gr.Blocks(), []
    for code, name in strings.SPOKEN.items():
        with page if code == page_languages.FIRST else page.route(name, code), strings.speaking(code):
            gr.Button().click(lambda: heard.append(strings.language()), None, None)
    page_languages.speak(page)
    for handler in page.fns.values():
        handler.fn()
    assert heard == list(strings.SPOKEN)


def test_the_header_leads_to_the_page_in_each_language():
    with strings.speaking("id"):
        header = page_languages.header()
    assert '<a href="./" lang="en"' in header
    assert '<a href="./es" lang="es"' in header
    assert header.index("aria-current=page") > header.index('lang="id"')
    assert header.count("aria-current") == 1
