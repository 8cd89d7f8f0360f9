"""The Library's handlers as plain functions."""

import errno
import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import torch
from safetensors.torch import load_file
from tiny_base import finish_language_job, finish_task_job, make_base, write_corpus
from tiny_vectors import make_vector

from deftx.cli import main
from deftx.core.errors import DeftxError, VectorError
from deftx.core.files import write_json
from deftx.jobs import Store
from deftx.jobs.job import RESULT
from deftx.models.bases import BUNDLED_BASE
from deftx.publish.own_vectors import OwnVectors
from deftx.vectors.vector import SparseVector
from ui import strings
from ui.access import file_access
from ui.classify import compose_form
from ui.classify.combination import Combination
from ui.current import acting_in
from ui.library import (
    library,
    library_answers,
    library_facts,
    library_forms,
    library_tab,
    library_views,
    readme,
    vector_index,
)
from ui.studio import Studio
from ui.train import requests


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with two trainings, made once; every test works on a copy."""
    base = make_base(tmp_path_factory.mktemp("base"))
    store = Store(tmp_path_factory.mktemp("home"))
    task = finish_task_job(store, base)
    language = finish_language_job(store, base, write_corpus(store.root / "text.txt"))
    return base, store.root, f"job:{task.id}", f"job:{language.id}"


@pytest.fixture
def studio(made, tmp_path):
    shutil.copytree(made[1], tmp_path / "home")
    return Studio(str(made[0]), Store(tmp_path / "home"))


@pytest.fixture
def here(studio, made):
    return studio, *made[2:]


def bring(studio, folder, title="Brought"):
    with OwnVectors(studio.store.root).incoming() as incoming:
        shutil.copytree(folder, incoming, dirs_exist_ok=True)
        return f"own:{OwnVectors(studio.store.root).keep(incoming, title, 'brought.zip').name}"


def raising(error):
    def fail(*_):
        raise error

    return fail


def foreign(tmp_path):
    return make_vector(language="bug").save(tmp_path / "foreign")


# The list


def test_all_vectors_are_listed_with_where_they_are_from(here, tmp_path):
    studio, task, language = here
    own = bring(studio, studio.store.get(language.removeprefix("job:")).out, "<b>Bugis")
    other = bring(studio, foreign(tmp_path), "Foreign")
    found = {item.key: item for item in library.items()}
    assert {task, language, own, other, "bundled:min"} <= set(found)
    assert [found[key].fits for key in (task, own, other, "bundled:min")] == [True, True, False, False]
    table, _ = library_answers.look("", "", own)
    assert "&lt;b&gt;Bugis" in table
    assert "<b>Bugis" not in table
    assert strings.OTHER_BASE.format(base="tiny-base") in table
    assert table.count('aria-pressed="true"') == 1
    assert found[task].info["scores"]["f1"]["after"] == pytest.approx(
        float(re.search(r"F1 ([\d.]+)", table)[1]), abs=1e-3
    )


@pytest.mark.parametrize(
    ("words", "kind", "expected"),
    [
        ("mood", "", {"Mood"}),
        ("MINANG", "", {"Minangkabau"}),
        ("positive", "task", {"Mood", "sentiment"}),
        ("bundled", "task", {"sentiment"}),
        ("no such word", "", set()),
    ],
)
def test_the_list_is_searched(here, words, kind, expected):
    assert {item.title for item in library.items(words, kind)} == expected


def test_what_was_brought_stands_in_the_lists_of_all_sections_under_its_key(here):
    studio, _, language = here
    out = studio.store.get(language.removeprefix("job:")).out
    key = bring(studio, out, "Bugis")
    assert key == "own:Bugis"
    assert (f"Bugis (min, {strings.BROUGHT})", key) in [
        (e.label, e.key) for e in vector_index.entries(studio.store, "language")
    ]
    assert vector_index.find(studio.store, "language", key).folder.is_dir()
    assert requests._key_of(studio, vector_index.find(studio.store, "language", key).folder) == key


@pytest.mark.parametrize("key", ["own:../jobs", "own:.trash", "own:", "job:../..", "bundled:..", "/etc", ""])
def test_vectors_are_found_by_known_keys_only(here, key):
    for act in (library.find, library.discard, library.pack_vector):
        with pytest.raises(VectorError, match="not known"):
            act(key)


# One in detail


def test_a_vector_is_shown_with_numbers_that_come_from_its_files(here):
    language = here[2]
    detail, title, *rest = library_answers.show(language)
    vector = SparseVector.load(library.find(language).folder)
    assert title == "Minangkabau"
    assert f"{vector.count:,}" in detail
    layers = library_facts.layers(library.find(language))
    assert sum(one.count for one in layers.values()) == vector.count
    assert re.search(r"Spectra of \d+ matrices", detail)
    assert f"{vector.info['scores']['masked_lm_loss']['after']:.3f}" in detail
    assert "How it was made" in detail  # its card
    assert all(part.visible for part in rest)
    overlaps = library_answers.show_overlaps(language)
    assert "Mood" in overlaps
    assert "sentiment" not in overlaps  # of another base


def test_a_bundled_vector_offers_neither_a_new_name_nor_removal(here):
    detail, _, actions, naming, rename, discard, use = library_answers.show("bundled:min")
    assert (actions.visible, naming.visible, rename.visible, discard.visible) == (True, False, False, False)
    assert use.visible is False  # of another base
    assert strings.FOR_OTHER_BASE.format(base="nusantara-e5") in detail


def test_a_vector_that_is_gone_shows_nothing(here):
    detail, _, actions, *_ = library_answers.show("own:gone")
    assert strings.CHOOSE_VECTOR in detail
    assert actions.visible is False
    assert library_answers.show_overlaps("own:gone") == ""


def test_a_file_that_is_damaged_meanwhile_is_said_to_be(here):
    language = here[2]
    (library.find(language).folder / "vector.safetensors").write_bytes(b"x")
    with pytest.raises(gr.Error, match="damaged"):
        library_answers.show(language)


def test_the_largest_overlaps_are_shown_however_many_vectors_there_are(here, monkeypatch):
    item = library.find(here[2])
    others = [replace(item, key=f"own:{n}", title=f"Other {n}") for n in range(14)]
    monkeypatch.setattr(library, "items", lambda: [item, *others])
    found = [*[0.1] * 13, 1.0]
    monkeypatch.setattr(library_facts, "_overlap", lambda *_: found.pop(0))
    shown = library_views.overlaps(library_facts.overlaps(item))
    assert (shown.count("Other"), "Other 13" in shown, "the largest first (12 of 14)" in shown) == (12, True, True)


def test_overlaps_are_worked_out_once(here):
    _, task, language = here
    item = library.find(language)
    first = library_facts.overlaps(item)
    misses = library_facts._overlap.cache_info().misses
    assert library_facts.overlaps(item) == first
    assert library_facts.overlaps(library.find(task))[0][1] == first[0][1]
    assert library_facts._overlap.cache_info().misses == misses


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![picture](https://example.org/x.png)",
        "[link](javascript:alert(1))",
        "[ref]: https://example.org\n\n[ref]",
        "<https://example.org>",
        "| a |\n|---|\n| <b onclick=x>y</b> |",
        "```<script>\nx\n```",
    ],
)
def test_a_card_cannot_bring_markup_pictures_or_links(text):
    html = readme.render(text)
    assert not re.search(r"<(?!/?(p|pre|code|table|thead|tbody|tr|th|td|h\d|ul|li|em|strong)\b)", html)
    assert not re.search(r"<[^>]*(href|src|on\w+)=", html)


def test_a_card_keeps_its_headings_below_those_of_the_page_and_loses_its_front_matter(tmp_path):
    html = readme.render("---\nlicense: mit\n---\n# Title\n\n- one\n")
    assert "license" not in html
    assert "<h4>Title</h4>" in html
    assert "<li>one</li>" in html
    assert readme.read_card(tmp_path / "none.md") == ""


# Renaming, removing, bringing back


def test_own_and_trained_vectors_are_renamed_and_bundled_ones_are_not(here):
    studio, task, language = here
    own = bring(studio, library.find(language).folder)
    for key in (own, task):
        library.rename(key, " New\nname ")
        assert library.find(key).title == "New name"
        with pytest.raises(VectorError, match="type a name"):
            library.rename(key, " ")
    with pytest.raises(VectorError, match="bundled"):
        library.rename("bundled:min", "Mine")


def test_a_renamed_vector_has_its_new_name_in_every_list_of_the_forms(here):
    _, task, language = here
    library.rename(language, "Basa Minang")
    _, of_export, _, of_push, _, of_classifier = library_tab.renewed(
        task, language, None, None, language, task, language
    )
    for shown in (of_export, of_push, of_classifier):
        assert shown.value == language
        assert next(label for label, key in shown.choices if key == language).startswith("Basa Minang (")


def test_what_is_removed_is_in_the_trash_and_comes_back(here):
    studio, task, language = here
    own = bring(studio, library.find(language).folder)
    for key in (own, task):
        undoable, said, _ = library_answers.discard(key)
        assert undoable == key
        assert "seven days" in said
        assert key not in [item.key for item in library.items()]
        assert key in [one.key for one in library.trash()]
    _, trash = library_answers.look("", "", "")
    assert f'data-restore="{own}"' in trash
    for key in (own, task):
        assert library_answers.restore(key) == key
        assert library.find(key).size > 0
    assert library.trash() == []
    with pytest.raises(VectorError, match="bundled"):
        library.discard("bundled:min")
    with pytest.raises(gr.Error):
        library_answers.restore("own:never")


def test_a_vector_that_a_training_starts_from_stays(here):
    studio, _, language = here
    own = bring(studio, library.find(language).folder)
    folder = library.find(own).folder
    job = studio.store.add("task", "Waits for it", {"source": str(folder)})
    with pytest.raises(gr.Error, match="Waits for it"):
        library_answers.discard(own)
    write_json(job.folder / RESULT, {"outcome": "finished", "message": "Done."})
    library.discard(own)


# Bringing, taking away


def test_a_zip_that_was_taken_away_can_be_brought_again(here):
    studio, _, language = here
    packed = library.pack_vector(language)
    assert packed.read_bytes() == library.pack_vector(language).read_bytes()
    assert packed.name == "Minangkabau.zip"
    with zipfile.ZipFile(packed) as archive:
        assert sorted(archive.namelist()) == [
            f"Minangkabau/{name}" for name in ("README.md", "vector.json", "vector.safetensors")
        ]
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert str(studio.store.root).encode() not in content
    assert str(Path(studio.base_name).parent).encode() not in content
    other = packed.rename(packed.with_name("vec.zip"))  # as a person may call the file
    key, said = library_forms.import_file(str(other), "", "", "")
    packed = other.rename(packed)
    assert (key, "fits the base model" in said) == ("own:Minangkabau", True)
    assert library_forms.import_file(str(packed), "Again", "", "")[0] == "own:Again"
    assert library.find(key).origin == "imported: vec.zip"


def test_what_cannot_be_brought_is_explained_in_its_place(here, tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK?")
    key, said = library_forms.import_file(str(tmp_path / "bad.zip"), "", "", "")
    assert key == ""
    assert strings.NOT_TAKEN in said
    assert library_forms.import_file(None, "", "", "") == ("", "")
    assert "owner/name" in library_forms.import_from_hub("../etc", "", "", "", "")[1]


def test_a_vector_of_another_base_is_brought_and_marked(here, tmp_path):
    from deftx.vectors.archives import pack

    folder = foreign(tmp_path)
    packed = pack(((path.name, path) for path in folder.iterdir()), tmp_path / "foreign.zip")
    key, said = library_forms.import_file(str(packed), "", "", "")
    assert not library.find(key).fits
    assert "another base model, tiny-base" in said


def test_a_classifier_is_packed_or_it_is_said_why_not(here):
    _, task, language = here

    def export(*values):
        return library_forms.export(lambda: library_forms.chosen_for_export(*values))

    file, said = export(task, language, 1.0, 0.5)
    assert Path(file).name == "classifier-Mood-Minangkabau.zip"
    assert "classifier-Mood-Minangkabau.zip" in said
    assert strings.NEEDS_TASK_VECTOR in export(None, "", 1, 1)[1]
    assert strings.NOT_EXPORTED in export(task, "bundled:min", 1, 1)[1]


def test_vectors_with_long_names_are_packed_and_an_error_of_the_disk_is_told_without_its_path(here, monkeypatch):
    studio, *keys = here
    outs = [library.find(key).folder for key in keys]
    task, language = (bring(studio, out, letter * 60) for out, letter in zip(outs, "กข", strict=True))
    file, said = library_forms.export(lambda: Combination.of(task, [(language, 1.0)]))
    assert Path(file).is_file(), said
    full = OSError(errno.ENOSPC, "No space left on device", "/a/secret/place")
    monkeypatch.setattr(library, "export_zip", raising(full))
    file, said = library_forms.export(lambda: Combination.of(task, [(language, 1.0)]))
    assert (file, "No space left on device" in said, "secret" in said) == (None, True, False)


def test_a_classifier_becomes_a_space_of_its_own_or_it_is_said_why_not(here, tmp_path):
    studio, task, language = here
    order = Combination.of(task, [(language, 0.5)])
    file, said = library_forms.export(lambda: order, "space")
    assert Path(file).name == "space-Mood-Minangkabau.zip"
    assert "space-Mood-Minangkabau.zip" in said
    with zipfile.ZipFile(file) as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / "space-Mood-Minangkabau"
    about = {"title": "Mood-Minangkabau", "inputs": ["text"], "examples": [["Pelayanannyo elok jo ramah."]]}
    assert json.loads((folder / "about.json").read_text()) == about
    wanted = studio.composed(order).model.state_dict()
    assert all(
        torch.equal(tensor, wanted[name]) for name, tensor in load_file(folder / "model/model.safetensors").items()
    )
    refused = library_forms.export(lambda: Combination.of(task, [("bundled:min", 1.0)]), "space")
    assert refused[0] is None
    assert strings.NOT_EXPORTED in refused[1]


def test_a_report_is_the_one_of_the_command_line_in_the_page_s_language(here, made, tmp_path):
    _, task, language = here
    with strings.speaking("es"):
        file, said = library_forms.export(lambda: Combination.of(task, [(language, 0.5)]), "report")
    assert Path(file).name == "report-Mood-Minangkabau.html"
    assert "report-Mood-Minangkabau.html" in said
    folders = [str(library.find(key).folder) for key in (task, language)]
    given = ["--task", folders[0], "--language", folders[1], "--strength-language", "0.5", "--base", str(made[0])]
    assert main(["report", *given, "--in", "es", "--out", str(tmp_path / "r.html")]) == 0
    assert Path(file).read_text(encoding="utf-8") == (tmp_path / "r.html").read_text(encoding="utf-8")
    refused = library_forms.export(lambda: Combination.of(task, [("bundled:min", 1.0)]), "report")
    assert refused[0] is None
    assert strings.NOT_EXPORTED in refused[1]


def test_a_packed_classifier_has_a_readme_with_the_name_of_its_folder(here):
    with zipfile.ZipFile(library.export(Combination.of(here[1], [(here[2], 0.5)], method="ties"))) as packed:
        readme = packed.read("classifier-Mood-Minangkabau/README.md").decode()
    assert 'pipeline("text-classification", "classifier-Mood-Minangkabau", truncation=True)' in readme
    assert "merged by: `ties`" in readme


def test_a_packed_classifier_is_merged_as_the_combination_says(here, tmp_path):
    studio, task, language = here
    weights = {}
    for method in ("sum", "dare"):
        order = Combination.of(task, [(language, 0.5)], 1.0, method)
        with zipfile.ZipFile(library.export(order)) as packed:
            packed.extractall(tmp_path / method)
        file = next((tmp_path / method).rglob("model.safetensors"))
        weights[method] = load_file(file)
        wanted = studio.composed(order).model.state_dict()
        assert all(torch.equal(weights[method][name], wanted[name]) for name in weights[method])
    assert any(not torch.equal(tensor, weights["dare"][name]) for name, tensor in weights["sum"].items())


def test_task_vectors_of_the_page_s_base_are_offered_first(here):
    studio, task, _ = here
    assert compose_form.task_choices()[0][1] == task
    bundled = Studio(BUNDLED_BASE, studio.store)
    bundled.base()
    with acting_in(bundled):
        assert compose_form.task_choices()[0][1] == "bundled:sentiment"


def test_a_zip_that_cannot_be_written_leaves_nothing(here, monkeypatch, tmp_path):
    monkeypatch.setattr(file_access, "get_upload_folder", lambda: str(tmp_path / "out"))
    monkeypatch.setattr("deftx.core.files.SPARE", 10**18)
    for pack in (
        lambda: library.pack_vector(here[2]),
        lambda: library.export(Combination.of(here[1])),
    ):
        with pytest.raises(DeftxError, match="are free"):
            pack()
    assert list((tmp_path / "out").iterdir()) == []


# Nearest


def test_nearest_languages_offer_the_vectors_there_are_of_them(here):
    studio, _, language = here
    name = studio.corpora.add_lines("words", ["rancak bana hotel ko", "makanannyo lamak"])
    shown = library_forms.compare(name)
    assert "Minangkabau (min)" in shown
    assert f'data-use="{language}"' in shown
    assert "bundled:min" not in shown  # of another base
    assert strings.NEAREST_NO_PIECES in shown
    assert strings.NEEDS_CORPUS in library_forms.compare(None)
    other = replace(studio.facts.nearest(name, studio.base().tokenizer)[0], pieces=0.5, name="<i>x")
    assert "50.0%" in library_views.nearest([other], {})
    assert "<i>x" not in library_views.nearest([other], {})


def test_lists_are_renewed_and_keep_what_was_chosen(here):
    _, task, language = here
    tasks, languages, texts = library_forms.renew(task, language, None, "sample:indonesian")
    assert (tasks.value, languages.value, texts.value) == (task, language, "sample:indonesian")
    tasks, languages, texts = library_forms.renew("own:gone", "own:gone", "gone", None)
    assert (tasks.value, languages.value, texts.value) == (task, "", None)


def test_scores_of_every_task_say_on_what_they_were_measured():
    for kind, metric, said in (
        ("task", "f1", True),
        ("task", "answer_f1", True),
        ("language", "masked_lm_loss", False),
    ):
        shown = library_views._scores({"kind": kind, "scores": {metric: {"before": 0.1, "after": 0.7}}})
        assert (strings.TASK_MEASURED in shown) is said
