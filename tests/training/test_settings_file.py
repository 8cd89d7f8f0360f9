"""Settings go out to a file and come back; what cannot be used is named and the rest is taken."""

import json
import os

import pytest

from deftx.core.errors import RecipeError
from deftx.training.settings_file import open_settings, read_settings, write_settings

ORDER = {
    "name": "Minangkabau", "language": "min", "base": "nusantara-small", "preset": "standard", "corpus": "a.txt",
    "recipe": {"rank": "mp", "k": 0.02, "max_steps": None},
}  # fmt: skip


def changed(**entries):
    return json.dumps({**json.loads(write_settings("language", ORDER)), **entries})


def test_what_was_written_is_read():
    found = read_settings(write_settings("language", ORDER))
    assert (found.kind, found.values, found.problems) == ("language", ORDER, [])
    task = {"name": "Mood", "train": "t.csv", "source": "bundled:ind", "recipe": {}}
    assert read_settings(write_settings("task", {**task, "valid": "", "corpus": "of the other kind"})).values == task


@pytest.mark.parametrize(
    ("entries", "said", "kept"),
    [
        ({"corpsu": "b"}, "Did you mean 'corpus'", ORDER),
        ({"name": 3}, "expected a text", {k: v for k, v in ORDER.items() if k != "name"}),
        ({"preset": "quik"}, "Did you mean 'quick'", {k: v for k, v in ORDER.items() if k != "preset"}),
        (
            {"recipe": {"rank": "mp", "learning_rate": -1, "ratio": 2}},
            "out of range",
            {**ORDER, "recipe": {"rank": "mp"}},
        ),
        ({"recipe": ["rank"]}, "in braces", {**ORDER, "recipe": {}}),
        ({"recipe": {"min_steps": 9_000, "k": 2}}, "below min_steps", {**ORDER, "recipe": {"k": 2}}),
        ({"recipe": {"batch_size": 30, "accumulation": 4}}, "equal parts", {**ORDER, "recipe": {}}),
        ({"recipe": {"rank": 5}}, "rank = 5", {**ORDER, "recipe": {}}),
    ],
)
def test_what_cannot_be_used_is_named_and_the_rest_is_taken(entries, said, kept):
    found = read_settings(changed(**entries))
    assert said in " ".join(found.problems)
    assert found.values == kept


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "other"}', "{" * 9_999, changed(version=2), changed(kind="both"),
     '{"format": "deftx-settings", "version": 1, "kind": "language", "recipe": {"k": NaN}}'],
)  # fmt: skip
def test_what_is_no_settings_file_is_refused(text):
    with pytest.raises(RecipeError):
        read_settings(text)


def test_what_is_no_file_of_text_is_refused_and_nothing_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zeros.json").symlink_to("/dev/zero")
    (tmp_path / "folder.json").mkdir()
    for name in ("pipe.json", "zeros.json", "folder.json", "none.json", "a\0b.json", "x" * 4_000):
        with pytest.raises(RecipeError, match=r"is not a file|cannot be read"):
            open_settings(tmp_path / name)
    (tmp_path / "latin.json").write_bytes(b"\xe9")
    with pytest.raises(RecipeError, match="as UTF-8"):
        open_settings(tmp_path / "latin.json")
    (tmp_path / "good.json").write_text(write_settings("language", ORDER))
    assert open_settings(tmp_path / "good.json").values == ORDER
