"""The command and the Python that the page shows do what the job does: both are run and compared with it."""

import shlex

import pytest

import deftx
import deftx.commands.training as training
from deftx.cli import build_parser
from deftx.commands import options
from deftx.core.errors import TableError
from deftx.training.recipes import LanguageRecipe, TaskRecipe, recipe_for
from deftx.training.reproduce import as_command, as_python, out_name
from deftx.training.setting_descriptions import MEANINGS

LANGUAGE = {
    "corpus": "/data/a text; rm -rf $HOME.txt", "language": "min's", "base": "nusantara-small", "preset": "quick",
    "recipe": {"rank": "uniform:8", "k": 0.02, "learning_rate": 1e-3, "max_steps": None, "precision": "float32",
               "dense_epochs": 1.5, "seed": 7, "keep": 0.1, "ablate": "no-residual"},
}  # fmt: skip
TASK = {
    "train": "train.csv", "valid": "valid.csv", "source": "/home/of/vector", "language": "ind", "preset": "paper",
    "columns": {"text": "the text", "label": "stars"}, "device": "cuda:1",
    "recipe": {"method": "lt-sft", "k": 200_000, "group_by_length": True, "metric": "accuracy", "min_steps": 0},
}  # fmt: skip


def parsed(kind, settings):
    words = shlex.split(as_command(kind, settings))
    assert words[:3] == ["python", "-m", "deftx"]
    return build_parser().parse_args(words[3:])


@pytest.mark.parametrize(("kind", "settings"), [("language", LANGUAGE), ("task", TASK), ("language", {"corpus": "a"})])
def test_the_command_is_read_as_the_same_recipe(kind, settings):
    found = parsed(kind, settings)
    expected = recipe_for(kind, settings.get("preset") or "quick", **settings.get("recipe") or {})
    assert training._recipe(kind, found) == expected
    for name in ("language", "base", "device", "valid", "source"):
        assert getattr(found, name, None) == settings.get(name)


def test_several_processes_are_launched_and_each_takes_the_device_that_is_its_own():
    settings = {**LANGUAGE, "processes": 2}
    words = shlex.split(as_command("language", settings))
    assert words[:7] == ["accelerate", "launch", "--multi_gpu", "--num_processes", "2", "-m", "deftx"]
    assert words[7:] == shlex.split(as_command("language", LANGUAGE))[3:]
    python = as_python("language", settings)
    assert python.startswith("# Start as: accelerate launch --multi_gpu --num_processes 2 FILE.py\n")
    assert "device=f\"cuda:{os.environ['LOCAL_RANK']}\"" in python
    compile(python, "FILE.py", "exec")


def test_a_push_at_the_end_is_an_option_of_the_command_and_a_command_after_the_python():
    settings = {**LANGUAGE, "push_to": "ana/min", "push_private": True}
    found = parsed("language", settings)
    assert (found.push_to, found.private) == ("ana/min", True)
    last = as_python("language", settings).splitlines()[-1]
    words = shlex.split(last.partition(": ")[2])
    assert words[:4] == ["python", "-m", "deftx", "push"]
    assert words[-3:] == ["--to", "ana/min", "--private"]


def test_files_come_through_the_shell_unharmed():
    assert parsed("language", LANGUAGE).corpus == [LANGUAGE["corpus"]]
    assert parsed("language", {"corpus": ["a b", "c"]}).corpus == ["a b", "c"]
    found = parsed("task", TASK)
    assert found.train == "train.csv"
    assert options.columns_of(found.columns) == TASK["columns"]


def test_a_column_without_its_name_is_refused():
    with pytest.raises(TableError, match="'review' has no '='"):
        options.columns_of(["label=stars", "review"])


def test_every_setting_can_be_written_and_read_back():
    for kind, recipe in (("language", LanguageRecipe()), ("task", TaskRecipe())):
        settings = {"corpus": "a", "train": "a", "recipe": recipe.to_dict()}
        assert training._recipe(kind, parsed(kind, settings)) == recipe


def test_the_python_calls_the_library_with_the_same(monkeypatch, base_folder, tmp_path):
    called = {}
    monkeypatch.setattr(deftx, "load_base", lambda *a, **k: ("base", a, k))
    monkeypatch.setattr(deftx, "learn_task", lambda *a, **k: called.update(arguments=a, **k))
    monkeypatch.setattr("deftx.data.tables.read_table", lambda path, columns=None: _Table(path, columns))
    exec(as_python("task", TASK), {})
    train, base, recipe = called["arguments"]
    assert base == ("base", (deftx.BUNDLED_BASE,), {"device": "cuda:1"})
    assert (train.path, train.columns) == ("train.csv", TASK["columns"])
    assert recipe == recipe_for("task", "paper", pairs=True, **TASK["recipe"])
    assert (called["source"], called["language"], called["out"]) == ("/home/of/vector", "ind", "ind")
    assert called["valid"].path == "valid.csv"


class _Table:
    pairs = True

    def __init__(self, path, columns):
        self.path, self.columns = path, columns


def test_the_python_really_trains(base_folder, corpus_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    changed = {"max_steps": 2, "batch_size": 4, "max_length": 16, "k": 50, "evaluate_every": 2, "epochs": 0.5}
    settings = {"corpus": str(corpus_file), "language": "min", "base": str(base_folder), "recipe": changed}
    names = {}
    exec(as_python("language", settings), names)
    assert names["vector"].info["recipe"] == recipe_for("language", "quick", **changed).to_dict()
    assert (tmp_path / "min" / "vector.json").is_file()


@pytest.mark.parametrize(
    ("language", "folder"),
    [
        ("min", "min"),
        ("", "language-vector"),
        ("../../x y", "x-y"),
        ("Bahasa 😀", "Bahasa"),
        ("...", "language-vector"),
    ],
)
def test_the_folder_has_a_name_that_stays_where_it_is(language, folder):
    assert out_name("language", {"language": language}) == folder


def test_every_setting_is_explained_and_the_command_line_says_it(capsys):
    assert set(MEANINGS) == set(LanguageRecipe().to_dict()) | set(TaskRecipe().to_dict())
    assert all(len(meaning) < 120 and meaning.endswith(".") for meaning in MEANINGS.values())
    with pytest.raises(SystemExit):
        build_parser().parse_args(["language", "--help"])
    assert MEANINGS["learning_rate"] in capsys.readouterr().out
