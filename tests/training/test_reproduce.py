"""The command and the Python that the page shows do what the job does: both are read back, or run, and compared with it."""

import shlex
from dataclasses import replace
from types import SimpleNamespace

import pytest
from training_requests import SEEDS, draw

import deftx
import deftx.commands.training as training
from deftx.cli import build_parser
from deftx.commands import options
from deftx.core.errors import TableError
from deftx.training.labelled_files import LabelledFile
from deftx.training.recipes import LanguageRecipe, TaskRecipe, recipe_for
from deftx.training.reproduce import out_name, to_argv, to_command, to_python
from deftx.training.request import TrainingRequest
from deftx.training.setting_descriptions import MEANINGS

LANGUAGE = TrainingRequest(
    kind="language", corpus=("/data/a text; rm -rf $HOME.txt",), language="min's", base="nusantara-e5",
    recipe={"rank": "uniform:8", "k": 0.02, "learning_rate": 1e-3, "max_steps": None, "precision": "float32",
            "dense_epochs": 1.5, "seed": 7, "keep": 0.1, "ablate": "no-residual"},
)  # fmt: skip
TASK = TrainingRequest(
    kind="task", train="train.csv", valid="valid.csv", source="/home/of/vector", language="ind", preset="paper",
    columns={"text": "the text", "label": "stars"}, device="cuda:1",
    recipe={"method": "lt-sft", "k": 200_000, "group_by_length": True, "metric": "accuracy", "min_steps": 0},
)  # fmt: skip


def parsed(request):
    words = shlex.split(to_command(request))
    arguments = words[words.index("deftx") + 1 :]
    assert arguments == to_argv(request)
    return build_parser().parse_args(arguments)


@pytest.mark.parametrize("request_", [LANGUAGE, TASK, *map(draw, SEEDS)])
def test_the_command_is_read_as_the_same_request(request_):
    # The name, the processes and, on a machine elsewhere, the place of δ are not the command's to say.
    expected = replace(request_, name="", processes=1, delta="" if request_.flavor else request_.delta)
    found = training.from_arguments(request_.kind, parsed(request_))
    assert found == expected
    assert found.full_recipe() == request_.full_recipe()


def test_several_processes_are_launched_and_each_takes_the_device_that_is_its_own():
    several = replace(LANGUAGE, processes=2)
    words = shlex.split(to_command(several))
    assert words[:7] == ["accelerate", "launch", "--multi_gpu", "--num_processes", "2", "-m", "deftx"]
    assert words[7:] == to_argv(LANGUAGE)
    python = to_python(several)
    assert python.startswith("# Start as: accelerate launch --multi_gpu --num_processes 2 FILE.py\n")
    assert "device=f\"cuda:{os.environ['LOCAL_RANK']}\"" in python
    compile(python, "FILE.py", "exec")


def test_a_push_at_the_end_is_an_option_of_the_command_and_a_command_after_the_python():
    pushed = replace(LANGUAGE, push_to="ana/min")
    assert {"--push-to", "ana/min", "--private"} <= set(to_argv(pushed))
    last = to_python(pushed).splitlines()[-1]
    words = shlex.split(last.partition(": ")[2])
    assert words[:4] == ["python", "-m", "deftx", "push"]
    assert words[-3:] == ["--to", "ana/min", "--private"]


def test_a_file_whose_name_looks_like_an_option_is_read_as_a_file():
    dashed = replace(LANGUAGE, corpus=("-a.txt", "--out"))
    assert training.from_arguments("language", parsed(dashed)).corpus == ("./-a.txt", "./--out")


def test_a_column_without_its_name_is_refused():
    with pytest.raises(TableError, match="'review' has no '='"):
        options.columns_of(["label=stars", "review"])


@pytest.mark.parametrize(("kind", "recipe"), [("language", LanguageRecipe()), ("task", TaskRecipe())])
def test_every_setting_can_be_written_and_read_back(kind, recipe):
    request = TrainingRequest(kind=kind, recipe=recipe.to_dict())
    found = training.from_arguments(
        kind, parsed(replace(LANGUAGE if kind == "language" else TASK, recipe=request.recipe))
    )
    assert found.full_recipe() == recipe


@pytest.mark.parametrize("request_", [TASK, *map(draw, SEEDS)])
def test_the_python_calls_the_library_with_the_same(request_, monkeypatch):
    """The request that stands in the calls is the one that was written."""
    called = {}

    def note(kind):
        def learn(data, base, recipe, *, out, **given):
            called.update(kind=kind, data=data, base=base, recipe=recipe, out=out, given=given)

        return learn

    def read_labelled(path, columns=None):
        return SimpleNamespace(pairs=False, path=path, columns=columns or {})

    monkeypatch.setattr(deftx, "load_base", lambda base, device="": SimpleNamespace(name=base, device=device))
    monkeypatch.setattr(deftx, "learn_language", note("language"))
    monkeypatch.setattr(deftx, "learn_task", note("task"))
    monkeypatch.setattr(deftx, "read_labelled", read_labelled, raising=False)
    monkeypatch.setattr(
        deftx, "read_corpus", lambda paths, column: called.update(column=column) or paths, raising=False
    )
    monkeypatch.setenv("LOCAL_RANK", "1")
    exec(to_python(request_), {})
    assert (called["kind"], called["out"]) == (request_.kind, out_name(request_))
    assert called["recipe"] == request_.full_recipe()
    assert called["base"].name == (request_.base or deftx.BUNDLED_BASE)
    assert called["base"].device == (request_.device if request_.processes == 1 else "cuda:1")
    data, given = called["data"], called["given"]
    several, labelled = isinstance(data, list), request_.labelled
    if request_.kind == "task":
        tables = data if several else [data]
        assert [(one.path, one.columns) for one in tables] == [(one.file, one.columns) for one in labelled]
        valid = given.pop("valid", SimpleNamespace(path="", columns={}))
        assert (valid.path, valid.columns) == (request_.valid, request_.valid_columns)
    else:
        assert (tuple(data) if isinstance(data, list) else (data,)) == request_.corpus
        assert called.get("column", "") == request_.column
    names = {name: getattr(request_, name) for name in ("start", "language", "delta")}
    if request_.further:
        names |= {"source": [one.source or None for one in labelled], "repeat": [one.repeat for one in labelled],
                  "lexicon": [list(one.lexicon) or None for one in labelled]}  # fmt: skip
        plain = ([None] * len(labelled), [1] * len(labelled))
    else:
        names |= {"source": request_.source, "repeat": request_.repeat, "lexicon": list(request_.lexicon)}
        plain = ("", 1, [])
    assert given == {name: value for name, value in names.items() if value and value not in plain}


@pytest.mark.parametrize(
    ("name", "content", "kind", "pairs"),
    [
        ("a.conllu", "1\tsatu\t_\tNUM" + "\t_" * 6 + "\n\n", deftx.TokenTable, False),
        ("a.csv", "text,label\nsatu,x\n", deftx.Table, False),
        ("a.csv", "premise,hypothesis,label\nsatu,dua,x\n", deftx.Table, True),
    ],
)
@pytest.mark.parametrize("further", [(), (LabelledFile(file="a.csv"),)])
def test_the_python_reads_every_kind_of_labelled_file(name, content, kind, pairs, further, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in (name, "a.csv"):
        (tmp_path / file).write_text(content if file == name else "text,label\nsatu,x\n")
    called = {}
    monkeypatch.setattr(deftx, "load_base", lambda base: None)
    monkeypatch.setattr(deftx, "learn_task", lambda train, base, recipe, **_: called.update(train=train, recipe=recipe))
    request = TrainingRequest(kind="task", train=name, further=further)
    exec(to_python(request), {})
    tables = called["train"] if further else [called["train"]]
    assert isinstance(tables[0], kind)
    assert len(tables) == 1 + len(further)
    assert called["recipe"] == request.full_recipe(pairs)


def test_the_python_really_trains(base_folder, corpus_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    changed = {"max_steps": 2, "batch_size": 4, "max_length": 16, "k": 50, "evaluate_every": 2, "epochs": 0.5}
    request = TrainingRequest(
        kind="language", corpus=(str(corpus_file),), language="min", base=str(base_folder), recipe=changed
    )
    names = {}
    exec(to_python(request), names)
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
    assert out_name(TrainingRequest(kind="language", language=language)) == folder


def test_every_setting_is_explained_and_the_command_line_says_it(capsys):
    assert set(MEANINGS) == set(LanguageRecipe().to_dict()) | set(TaskRecipe().to_dict())
    assert all(len(meaning) < 120 and meaning.endswith(".") for meaning in MEANINGS.values())
    with pytest.raises(SystemExit):
        build_parser().parse_args(["language", "--help"])
    printed = capsys.readouterr().out
    assert all(f"  {name}  " in printed and f"  {meaning}\n" in printed for name, meaning in MEANINGS.items())
