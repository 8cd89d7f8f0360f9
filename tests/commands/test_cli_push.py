"""``push`` and ``--push-to`` as a person types them, against a Hub on this machine."""

import json
import shlex
import shutil

import pytest
import tiny
from hub_server import READ_ONLY, WRITER

from deftx.cli import EXIT_BAD_INPUT, EXIT_OK, main
from deftx.commands import hub as command
from deftx.core.errors import HubError
from deftx.hub.client import hub
from deftx.training import language

SMALL = ["max_steps=2", "evaluate_every=2"]


@pytest.fixture
def writer(hub_here, monkeypatch):
    """The Hub, on which this machine is logged in with the right to write."""
    monkeypatch.setenv("HF_TOKEN", WRITER)
    return hub_here


def test_what_would_be_uploaded_is_said_and_nothing_more_without_a_yes(writer, language_vector, capsys, monkeypatch):
    arguments = ["push", str(language_vector), "--to", "ana/min", "--private"]
    assert main([*arguments, "--dry-run", "--json"]) == EXIT_OK
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["private"] is True
    for name, size in found["files"].items():
        assert f"{name}  {size:,} bytes" in printed.err
    assert main(arguments) == EXIT_BAD_INPUT  # no terminal: nobody can be asked
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda text: "n")
    assert main(arguments) == EXIT_BAD_INPUT
    assert "Nothing was uploaded" in capsys.readouterr().err
    assert writer.repositories == {}
    monkeypatch.setattr("builtins.input", lambda text: "y")
    assert main(arguments) == EXIT_OK
    assert writer.repositories["ana/min"].private is True


def test_a_pushed_vector_is_used_by_its_id(writer, language_vector, task_vector, base_folder, capsys):
    assert main(["push", str(language_vector), "--to", "ana/min", "--yes", "--json"]) == EXIT_OK
    commit = json.loads(capsys.readouterr().out)["commit"]
    use = ["--task", str(task_vector), "--base", str(base_folder), "--json", tiny.sentences(1)[0]]
    answers = []
    for name in (str(language_vector), "ana/min", f"ana/min@{commit}"):
        assert main(["classify", "--language", name, *use]) == EXIT_OK
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1] == answers[2]


def test_a_classifier_is_pushed_as_a_space_of_its_own(writer, language_vector, task_vector, base_folder, capsys):
    arguments = ["--task", str(task_vector), "--language", str(language_vector), "--base", str(base_folder)]
    assert main(["push", *arguments, "--space", "--to", "ana/mood", "--yes", "--json"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["url"] == f"{writer.url}/spaces/ana/mood"
    assert writer.repositories["spaces/ana/mood"].hardware == "zero-a10g"
    files = writer.repositories["spaces/ana/mood"].commits[-1][1]
    assert {"app.py", "about.json", "requirements.txt", "README.md", "model/model.safetensors"} <= files.keys()
    assert json.loads(files["about.json"])["title"] == "mood"
    assert main(["push", str(language_vector), "--space", "--to", "ana/min", "--yes"]) == EXIT_BAD_INPUT
    assert "use --space with --task" in capsys.readouterr().err
    assert set(writer.repositories) == {"spaces/ana/mood"}


def test_a_classifier_is_pushed(writer, language_vector, task_vector, base_folder, capsys):
    arguments = ["--task", str(task_vector), "--language", str(language_vector), "--base", str(base_folder)]
    assert main(["push", *arguments, "--to", "ana/mood", "--yes"]) == EXIT_OK
    files = writer.repositories["ana/mood"].commits[-1][1]
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "README.md"} <= files.keys()
    assert b"strength 1" in files["README.md"]


def test_a_classifier_is_pushed_with_its_measured_scores(
    writer, language_vector, task_vector, base_folder, table_file, tmp_path, capsys
):
    arguments = ["--task", str(task_vector), "--language", str(language_vector), "--base", str(base_folder)]
    assert main(["evaluate", *arguments, str(table_file), "--json"]) == EXIT_OK
    printed = capsys.readouterr().out
    (tmp_path / "result.json").write_text(printed)
    result = ["--result", f"lab/mood={tmp_path / 'result.json'}"]
    assert main(["push", *arguments, *result, "--to", "ana/mood", "--yes"]) == EXIT_OK
    files = writer.repositories["ana/mood"].commits[-1][1]
    (entry,) = json.loads(files[".eval_results/lab--mood.yaml"])
    assert entry["value"] == round(json.loads(printed)["score"], 4)
    assert b"model-index" in files["README.md"]
    assert main(["push", str(language_vector), *result, "--to", "ana/min", "--yes"]) == EXIT_BAD_INPUT


@pytest.mark.parametrize(("more", "reason"), [([], "Give what to push"), (["min", "--task", "sentiment"], "Give what")])
def test_one_thing_is_pushed_at_a_time(writer, more, reason, capsys):
    assert main(["push", *more, "--to", "ana/min"]) == EXIT_BAD_INPUT
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["min", "--language", "ban"], "--language is for a composed classifier"),
        (["min", "--strength-language", "0.5"], "--strength-language is"),
        (["min", "--strength-task", "0.5"], "--strength-task is"),
        (["min", "--merge", "ties"], "--merge is"),
        (["min", "--merge-set", "keep=0.5"], "--merge-set is"),
        (["min", "--base", "nusantara-e5"], "--base is"),
        (["--task", "sentiment", "--dataset", "ana/texts"], "--dataset is for the card of a vector"),
        (["min", "--license", "my own!"], "'my own!' is not the id of a licence"),
    ],
)
def test_an_option_without_effect_is_refused(writer, more, reason, capsys):
    assert main(["push", *more, "--to", "ana/min", "--yes"]) == EXIT_BAD_INPUT
    assert reason in capsys.readouterr().err
    assert writer.repositories == {}


def test_a_typed_token_is_shown_nowhere(hub_here, language_vector, capsys, monkeypatch):
    monkeypatch.setattr(command.getpass, "getpass", lambda text: WRITER)
    assert main(["push", str(language_vector), "--to", "ana/min", "--yes", "--ask-token"]) == EXIT_OK
    printed = capsys.readouterr()
    assert WRITER not in printed.out + printed.err


# A training that ends in a push


def train(corpus_file, base_folder, out):
    return ["language", str(corpus_file), "--base", str(base_folder), "--language", "min", "--out", str(out),
            "--push-to", "ana/min", "--set", *SMALL]  # fmt: skip


def test_a_training_ends_in_a_push(writer, corpus_file, base_folder, tmp_path, capsys):
    assert main([*train(corpus_file, base_folder, tmp_path / "out"), "--private"]) == EXIT_OK
    assert "At the end, the vector will be pushed to ana/min as ana" in capsys.readouterr().err
    files = writer.repositories["ana/min"].commits[-1][1]
    assert files["vector.safetensors"] == (tmp_path / "out" / "vector.safetensors").read_bytes()
    assert writer.repositories["ana/min"].private is True


@pytest.mark.parametrize(
    ("token", "reason"), [(None, "You are not logged in"), (READ_ONLY, "read-only"), ("hf_old", "expired")]
)
def test_without_the_right_to_push_no_training_starts(
    hub_here, corpus_file, base_folder, tmp_path, capsys, monkeypatch, token, reason
):
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr(language, "learn_language", None)  # calling it would be a TypeError
    assert main(train(corpus_file, base_folder, tmp_path / "out")) == EXIT_BAD_INPUT
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_full_disk_of_this_machine_is_said_with_how_to_push_later(writer, language_vector, tmp_path, monkeypatch):
    monkeypatch.setattr("deftx.core.files.free_space", lambda folder: 0)
    folder = shutil.copytree(language_vector, tmp_path / "a folder")
    with pytest.raises(
        HubError, match=r"Free some space first\. To push it later: (python -m deftx push .*)"
    ) as caught:
        command.push_trained(hub(), str(folder), "ana/min", False)
    assert shlex.split(str(caught.value).rpartition(": ")[2])[3:] == ["push", str(folder), "--to", "ana/min"]


@pytest.mark.slow
def test_a_vector_is_kept_when_its_push_fails_and_it_is_said_how_to_push_it(
    writer, corpus_file, base_folder, tmp_path, capsys
):
    writer.fail("^POST .*/commit", status=500)
    out = tmp_path / "out"
    assert main(train(corpus_file, base_folder, out)) == EXIT_BAD_INPUT
    said = capsys.readouterr().err
    assert f"python -m deftx push {out} --to ana/min" in said
    writer.faults.clear()
    assert main(["push", str(out), "--to", "ana/min", "--yes"]) == EXIT_OK
    assert "vector.safetensors" in writer.repositories["ana/min"].commits[-1][1]


def test_private_is_about_a_push(corpus_file, tmp_path, capsys):
    assert main(["language", str(corpus_file), "--out", str(tmp_path / "o"), "--private"]) == EXIT_BAD_INPUT
    assert "give both" in capsys.readouterr().err


# The whole studio as a Space


@pytest.mark.slow
def test_the_studio_is_written_to_a_folder_and_pushed_as_a_new_space_on_zero_gpu(writer, tmp_path, capsys):
    out = tmp_path / "studio"
    arguments = ["space", "--out", str(out), "--push", "ana/studio", "--private"]
    assert main([*arguments, "--dry-run"]) == EXIT_OK
    said = capsys.readouterr().err
    assert "a new Space on zero-a10g, private" in said
    assert (writer.repositories, out.exists()) == ({}, False)
    assert main([*arguments, "--yes", "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    written = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    assert main([*arguments, "--yes"]) == EXIT_BAD_INPUT  # before anything is pushed
    assert len(writer.repositories["spaces/ana/studio"].commits) == 2
    assert found["url"] == f"{writer.url}/spaces/ana/studio"
    space = writer.repositories["spaces/ana/studio"]
    assert (space.hardware, space.private) == ("zero-a10g", True)
    files = space.commits[-1][1]
    assert files.keys() == written.keys()
    assert {"studio.py", "app.py", "requirements.txt", "README.md", "deftx/cli.py"} <= files.keys()
    assert b'title: "studio"' in files["README.md"]
    assert all(files[name] == path.read_bytes() for name, path in written.items() if name != "README.md")


@pytest.mark.slow
def test_a_second_push_of_the_studio_replaces_its_files_and_leaves_the_hardware(writer, capsys):
    writer.make("spaces/ana/studio", {"app.py": b"old", "notes.txt": b"kept"}, hardware="t4-small")
    assert main(["space", "--push", "ana/studio", "--yes"]) == EXIT_OK
    assert "an existing Space, public" in capsys.readouterr().err
    space = writer.repositories["spaces/ana/studio"]
    assert space.hardware == "t4-small"
    assert space.commits[-1][1]["notes.txt"] == b"kept"
    assert space.commits[-1][1]["app.py"] != b"old"


def test_without_the_right_to_push_no_folder_is_written(hub_here, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", READ_ONLY)
    out = tmp_path / "studio"
    assert main(["space", "--out", str(out), "--push", "ana/studio", "--yes"]) == EXIT_BAD_INPUT
    assert "read-only" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.slow
def test_an_account_that_may_not_host_such_a_space_is_told_what_the_hub_says(writer, capsys):
    writer.fail("^POST /api/repos/create", status=402)
    assert main(["space", "--push", "ana/studio", "--yes"]) == EXIT_BAD_INPUT
    assert "requires a paid plan" in capsys.readouterr().err
    assert writer.repositories == {}


@pytest.mark.parametrize(
    ("more", "reason"), [([], "--out DIR for a folder"), (["--out", "studio", "--private"], "apply only to --push")]
)
def test_the_studio_goes_somewhere_and_a_folder_has_no_account(tmp_path, monkeypatch, capsys, more, reason):
    monkeypatch.chdir(tmp_path)
    assert main(["space", *more]) == EXIT_BAD_INPUT
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
