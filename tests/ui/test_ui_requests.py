"""Requests of the page: the form, a program's options and a job become one and the same, and nobody names a path."""

import json
from dataclasses import replace

import pytest
import tiny
from tiny_base import write_corpus
from training_requests import SEEDS, draw

from deftx.core.errors import BaseModelError, DeftxError, RecipeError
from deftx.training.request import TrainingRequest
from ui.corpus.corpora import SAMPLE
from ui.studio import Studio
from ui.train.requests import from_options, named, resolve
from ui.train.train_fields import EMPTY, from_form, to_form


def of_the_form(seed):
    """A request as the form can hold it: one text, a code, no paths, and no settings that its method has no use for."""
    request = draw(seed)
    unused = ("rank", "keep") if request.recipe.get("method", "deft-x") != "deft-x" else ()
    recipe = {name: value for name, value in request.recipe.items() if name not in unused}
    further = tuple(replace(one, lexicon=(), columns={}) for one in request.further)
    return replace(
        request, lexicon=request.lexicon[:1], further=further, corpus=request.corpus[:1], language=("", "min", "id-Latn")[seed % 3], recipe=recipe, device="", delta="",
        column="", columns={}, valid_columns={},  # the page chooses columns when a file is uploaded
    )  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_the_form_holds_a_request_and_gives_it_back(seed):
    request = of_the_form(seed)
    values = to_form(request)
    assert list(values) == list(EMPTY)
    again = from_form(json.loads(json.dumps(values)), request.data)  # as a browser keeps it
    assert replace(again, recipe={}) == replace(request, recipe={})
    assert again.full_recipe() == request.full_recipe()
    assert from_form(to_form(again), request.data) == again


@pytest.mark.parametrize("seed", SEEDS)
def test_a_job_of_the_page_becomes_the_request_it_came_of(seed, studio, tmp_path):
    request = replace(of_the_form(seed), name="Mine", base=studio.base_name)
    if request.lexicon:
        words = tiny.write_csv(tmp_path / "words.csv", ("word", "translation"), [("good", "baik")])
        request = replace(request, lexicon=(studio.lexicons.add(words),))
    if request.kind == "language":
        corpus = studio.corpora.add(write_corpus(tmp_path / "a text.txt")) if seed % 4 else SAMPLE
        request = replace(request, corpus=(corpus,))
    else:
        rows = tiny.labelled_rows()
        table = studio.tables.add(tiny.write_csv(tmp_path / "a.csv", ("text", "label"), rows))
        columns = {"text": "sentence", "label": "class"}
        other = studio.tables.add(tiny.write_csv(tmp_path / "b.csv", tuple(columns.values()), rows), columns)
        source = "bundled:ind" if request.source else ""
        further = tuple(replace(one, file=table, source="bundled:ind" if one.source else "") for one in request.further)
        start = "bundled:sentiment" if request.start else ""
        valid = table if request.valid else ""
        request = replace(request, train=other, valid=valid, source=source, further=further, start=start)
    if request.flavor:
        request = replace(request, processes=1)
    found = resolve(studio, request)
    job = studio.store.add(found.kind, found.name, found.to_job())
    assert job.request == found
    assert named(studio, job) == request
    assert resolve(studio, named(studio, job)) == found
    if found.kind == "task":
        assert found.columns == columns
        assert found.valid_columns == {}


def test_a_program_gives_the_fields_by_their_names():
    options = {"name": " Mood ", "train": "t.csv", "valid": None, "source": "", "recipe": {"k": 5}, "processes": 2}
    expected = TrainingRequest(kind="task", name="Mood", train="t.csv", recipe={"k": 5}, processes=2)
    assert from_options("task", options) == expected
    assert from_options("language", {"corpus": "a.txt"}).corpus == ("a.txt",)


@pytest.mark.parametrize("option", ["device", "delta", "columns", "valid_columns", "kind", "corpus", "valdi"])
def test_a_program_names_no_device_folder_or_column_and_nothing_that_is_not_known(option):
    with pytest.raises(RecipeError, match=f"The option '{option}' is not known"):
        from_options("task", {"train": "t.csv", option: "x"})


@pytest.mark.parametrize("options", [[], "train", {"recipe": [1]}, {"processes": "2"}, {"name": 3}, {"push_to": ["x"]}])
def test_options_that_are_no_request_are_refused(options):
    with pytest.raises(RecipeError):
        from_options("task", options)


@pytest.mark.parametrize(
    "fields",
    [{"kind": "language", "corpus": ("/etc/passwd",)}, {"kind": "language", "corpus": ("../jobs.sqlite",)},
     {"kind": "task", "train": "../../x.csv"}, {"kind": "task", "train": "", "source": "job:../.."}],
)  # fmt: skip
def test_no_path_gets_through(studio, fields):
    with pytest.raises(DeftxError):
        resolve(studio, TrainingRequest(name="x", **fields))


def test_in_a_workspace_no_folder_of_the_machine_is_a_base(studio, tmp_path):
    workspace = Studio(studio.base_name, studio.store.of("ana"), host=studio)
    request = TrainingRequest(kind="language", name="x", corpus=(SAMPLE,))
    for base in (str(tmp_path), "a/../../b", "~/no-such-file"):
        with pytest.raises(BaseModelError):
            resolve(workspace, replace(request, base=base))
        assert resolve(studio, replace(request, base=base)).base == base
    assert resolve(workspace, request).base == studio.base_name
