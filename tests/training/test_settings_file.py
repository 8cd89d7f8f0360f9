"""Settings go out to a file and come back; what cannot be used is named and the rest is taken."""

import json
import os
from dataclasses import replace

import pytest
from training_requests import SEEDS, draw

from deftx.core.errors import RecipeError
from deftx.training.request import TrainingRequest
from deftx.training.settings_file import FIELDS, from_file, open_file, to_file

REQUEST = TrainingRequest(
    kind="language", name="Minangkabau", language="min", base="nusantara-e5", preset="standard", corpus=("a.txt",),
    recipe={"rank": "mp", "k": 0.02, "max_steps": None},
)  # fmt: skip


def changed(**entries):
    return json.dumps({**json.loads(to_file(REQUEST)), **entries})


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_written_is_read(seed):
    request = draw(seed)
    request = replace(request, corpus=request.corpus[:1])
    carried = {name: getattr(request, name) for name in (*FIELDS[request.kind], "kind", "recipe")}
    found = from_file(to_file(request))
    assert (found.request, found.problems) == (TrainingRequest(**carried), [])


def test_a_file_names_one_text():
    with pytest.raises(RecipeError, match="only one corpus file"):
        to_file(replace(REQUEST, corpus=("a", "b")))


def test_a_file_that_an_earlier_version_wrote_is_read():
    text = """{
  "format": "deftx-settings", "version": 1, "kind": "task", "name": "Mood", "train": "t.csv",
  "source": "bundled:ind", "recipe": {"k": 50}
}"""
    found = from_file(text)
    assert found.problems == []
    assert found.request == TrainingRequest(
        kind="task", name="Mood", train="t.csv", source="bundled:ind", recipe={"k": 50}
    )


@pytest.mark.parametrize(
    ("entries", "said", "kept"),
    [
        ({"corpsu": "b"}, "Did you mean 'corpus'", {}),
        ({"name": 3}, "expected a text", {"name": ""}),
        ({"corpus": ["a", "b"]}, "expected a text", {"corpus": ()}),
        ({"device": "cpu"}, "'device' is not known", {}),
        ({"preset": "quik"}, "Did you mean 'quick'", {"preset": "quick"}),
        ({"recipe": {"rank": "mp", "learning_rate": -1, "ratio": 2}}, "out of range", {"recipe": {"rank": "mp"}}),
        ({"recipe": {"name": 1, "preset": 2, "seed": 3}}, "'name' is not known", {"recipe": {"seed": 3}}),
        ({"recipe": ["rank"]}, "in braces", {"recipe": {}}),
        ({"recipe": {"min_steps": 9_000, "k": 2}}, "below min_steps", {"recipe": {"k": 2}}),
        ({"recipe": {"batch_size": 30, "accumulation": 4}}, "equal parts", {"recipe": {}}),
        ({"recipe": {"rank": 5}}, "rank = 5", {"recipe": {}}),
    ],
)
def test_what_cannot_be_used_is_named_and_the_rest_is_taken(entries, said, kept):
    found = from_file(changed(**entries))
    assert said in " ".join(found.problems)
    assert found.request == replace(REQUEST, **kept)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "other"}', "{" * 9_999, changed(version=2), changed(kind="both"), changed(kind=["task"]),
     '{"format": "deftx-settings", "version": 1, "kind": "language", "recipe": {"k": NaN}}'],
)  # fmt: skip
def test_what_is_no_settings_file_is_refused(text):
    with pytest.raises(RecipeError):
        from_file(text)


def test_what_is_no_file_of_text_is_refused_and_nothing_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zeros.json").symlink_to("/dev/zero")
    (tmp_path / "folder.json").mkdir()
    for name in ("pipe.json", "zeros.json", "folder.json", "none.json", "a\0b.json", "x" * 4_000):
        with pytest.raises(RecipeError, match=r"is not a file|cannot be read"):
            open_file(tmp_path / name)
    (tmp_path / "latin.json").write_bytes(b"\xe9")
    with pytest.raises(RecipeError, match="as UTF-8"):
        open_file(tmp_path / "latin.json")
    (tmp_path / "good.json").write_text(to_file(REQUEST))
    assert open_file(tmp_path / "good.json").request == REQUEST


def test_further_files_without_a_first_one_are_left_out_with_a_message():
    text = '{"format": "deftx-settings", "version": 1, "kind": "task", "name": "Mood", "further": [{"file": "b.csv"}]}'
    found = from_file(text)
    assert found.problems == ["Further labelled files need a first one."]
    assert found.request == TrainingRequest(kind="task", name="Mood")
