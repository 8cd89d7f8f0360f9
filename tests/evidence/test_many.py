"""A folder of corpora becomes a folder of vectors and a report, whatever is interrupted or unreadable."""

import csv
import io
import json
import os
import shutil
import signal
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import tiny
import torch
from PIL import Image

from deftx.cli import main
from deftx.core.errors import DeftxError, TrainingError
from deftx.core.files import write_json, write_text
from deftx.evidence.costs import COST, is_trained, read_cost, train_with_cost
from deftx.evidence.many import Many, corpora_in, groups_of, read_table_of_settings, train_group, train_many
from deftx.evidence.many_report import MARGIN, draw_matrix, write_report
from deftx.evidence.shared_work import ALL, Reporter
from deftx.vectors.overlaps import overlap
from deftx.vectors.vector import SparseVector

SETTINGS = {"batch_size": 8, "max_length": 16, "max_steps": 4, "evaluate_every": 2, "learning_rate": 0.002}


@pytest.fixture
def folder(tmp_path):
    """Corpora of three languages, one of which is empty."""
    (tmp_path / "texts" / "min").mkdir(parents=True)
    for number, name in enumerate(("ban.txt", "min/one.txt", "min/two.txt")):
        (tmp_path / "texts" / name).write_text("\n".join(tiny.sentences(60, seed=number)))
    (tmp_path / "texts" / "xyz.txt").write_text("")
    (tmp_path / "texts" / ".hidden").write_text("not a corpus")
    return tmp_path / "texts"


def table(path, *rows):
    path.write_text("\n".join(rows))
    return path


def test_corpora_are_named_after_their_languages(folder):
    assert list(corpora_in(folder)) == ["ban", "min", "xyz"]
    (folder / "results").mkdir()
    assert list(corpora_in(folder, folder / "results")) == ["ban", "min", "xyz"]
    (folder / "results").rmdir()
    (folder / "ban.csv").write_text("text\na\n")
    with pytest.raises(DeftxError, match=r"ban\.csv and ban\.txt are both of ban"):
        corpora_in(folder)


@pytest.mark.parametrize("name", ["-x.txt", "ba n.txt"])
def test_a_name_that_is_no_code_is_refused(tmp_path, name):
    (tmp_path / name).write_text("a")
    with pytest.raises(DeftxError, match="does not begin with the code of a language"):
        corpora_in(tmp_path)


def test_a_folder_without_corpora_or_none_is_refused(tmp_path):
    with pytest.raises(DeftxError, match="has no corpora"):
        corpora_in(tmp_path)
    with pytest.raises(DeftxError, match="is no folder"):
        corpora_in(tmp_path / "none")


def test_the_table_has_a_row_for_each_setting(tmp_path):
    file = table(tmp_path / "t.csv", "name,rank,k,learning_rate", "a,optimal,300,", "b,,0.01,0.002")
    assert read_table_of_settings(file, "quick") == {
        "a": {"rank": "optimal", "k": 300.0},
        "b": {"k": 0.01, "learning_rate": 0.002},
    }
    assert read_table_of_settings(None, "quick") == {"default": {}}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["name,rank", "a,optimla"], "line 2: .*optimal"),
        (["name,rnk", "a,optimal"], "line 2: .*rank"),
        (["name,k", "a,1", "a,2"], "line 3: each row needs a name of its own"),
        (["k", "1"], "line 2: each row needs a name"),
        (["name,k", "a/b,1"], "line 2: each row needs a name"),
        (["name,k", "a,1,2"], "line 2: each row needs a name"),
        (["name,k"], "has no rows"),
        (["name,seed", "a,7"], "line 2: The seed cannot be set here: .*--seeds N"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path, rows, message):
    with pytest.raises(DeftxError, match=message):
        read_table_of_settings(table(tmp_path / "t.csv", *rows), "quick")


def test_settings_after_the_dense_phase_share_it(tmp_path):
    settings = {"a": {"rank": "optimal"}, "b": {"k": 300.0}, "c": {"learning_rate": 0.01}}
    groups = groups_of({"ban": tmp_path, "min": tmp_path}, settings, (42, 43))
    assert [[piece.setting for piece in group] for group in groups[:4]] == [["a", "b"], ["a", "b"], ["c"], ["c"]]
    assert [group[0].seed for group in groups] == [42] * 4 + [43] * 4
    assert len({group[0].dense_name for group in groups}) == 8


def test_two_vectors_do_not_share_a_folder(tmp_path):
    with pytest.raises(DeftxError, match="min with the settings A-b and the language min-A with the settings b would"):
        groups_of({"min": tmp_path, "min-A": tmp_path}, {"A-b": {}, "b": {"k": 5.0}}, (42,))


def test_the_report_of_some_languages_keeps_the_others(folder, base_folder, tmp_path, monkeypatch, capsys):
    def fail(many, groups, devices, reporter, shard):
        for piece in (piece for group in groups for piece in group):
            write_text(many.failure(piece), "Said.")

    (tmp_path / "out" / "failures").mkdir(parents=True)
    monkeypatch.setattr("deftx.evidence.many.train_many", fail)
    command = ["many", *map(str, (folder, "--out", tmp_path / "out", "--base", base_folder, "--device", "cpu"))]
    assert main([*command, "--languages", "ban", "xyz", "--seeds", "2"]) == 0
    assert main([*command, "--languages", "ban"]) == 0
    rows = list(csv.DictReader((tmp_path / "out" / "results.csv").open(encoding="utf-8")))
    assert [(row["language"], row["seed"]) for row in rows] == [
        ("ban", "42"),
        ("xyz", "42"),
        ("ban", "43"),
        ("xyz", "43"),
    ]
    assert "0 of 4 language vectors" in capsys.readouterr().out


def test_the_report_reads_only_the_vectors_that_it_compares(language_vector, tmp_path):
    many = Many(tmp_path / "out", "", "quick")
    groups = groups_of({"ban": tmp_path, "min": tmp_path}, {"default": {}}, (42, 43))
    for (piece,) in groups:
        shutil.copytree(language_vector, many.folder(piece))
        write_json(many.folder(piece) / COST, {"dense": 1.0, "rest": 2.0, "peak_gb": 0.5})
        if piece.seed == 43:
            (many.folder(piece) / "vector.safetensors").unlink()
    found = write_report(many, groups)
    assert found["overlaps"] == {"languages": ["ban", "min"], "matrix": [[1.0, 1.0], [1.0, 1.0]]}
    assert [(row["seed"], row["seconds"], row["entries"]) for row in found["rows"]] == [(42, 3, 60)] * 2 + [
        (43, 3, 60)
    ] * 2


def test_the_report_has_what_another_command_finished_meanwhile(folder, base_folder, tmp_path, monkeypatch):
    counts = []

    def write(many, groups):
        counts.append(len(groups))
        if len(counts) == 1:
            many.failure(groups_of({"ban": folder}, {"default": {}}, (43,))[0][0]).write_text("Said.")
        return write_report(many, groups)

    (tmp_path / "out" / "failures").mkdir(parents=True)
    monkeypatch.setattr("deftx.evidence.many.train_many", Mock())  # another command tries again what has failed
    monkeypatch.setattr("deftx.evidence.many_report.write_report", write)
    assert main(["many", *map(str, (folder, "--out", tmp_path / "out", "--base", base_folder, "--device", "cpu"))]) == 0
    assert counts == [0, 1]
    assert [row["seed"] for row in csv.DictReader((tmp_path / "out" / "results.csv").open(encoding="utf-8"))] == ["43"]


@pytest.mark.parametrize(("platform", "gigabytes"), [("linux", 2.048), ("darwin", 0.002)])
def test_peak_memory_is_read_in_the_units_of_the_system(tmp_path, monkeypatch, platform, gigabytes):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("resource.getrusage", lambda who: SimpleNamespace(ru_maxrss=2_000_000))
    train_with_cost(tmp_path, lambda timed: None, "cpu")
    assert read_cost(tmp_path)["peak_gb"] == gigabytes


def test_the_picture_is_darkest_at_the_largest_overlap():
    picture = Image.open(io.BytesIO(draw_matrix(["a", "b", "c"], [[1, 0.2, 0], [0.2, 1, 0.1], [0, 0.1, 1]])))
    cell = [sum(picture.getpixel((MARGIN + 16 * column + 5, MARGIN + 5))) for column in range(3)]
    assert cell[0] == cell[1] < cell[2]


@pytest.mark.slow
def test_settings_that_cannot_be_trained_with_stop_no_others(folder, base_folder, tmp_path):
    settings = {name: {"k": k, **SETTINGS} for name, k in (("wide", 5e9), ("last", 100.0), ("first", 200.0))}
    many = Many(tmp_path / "out", str(base_folder), "quick")
    (group,) = groups_of({"ban": folder / "ban.txt"}, settings, (42,))
    failed = train_group(many, group, "cpu")
    assert [piece.setting for piece in failed] == ["wide"]
    assert "k = 5e+09" in failed[group[0]]
    assert all(is_trained(many.folder(piece)) for piece in group[1:])
    assert not list((many.out / "delta").iterdir())
    # A vector that is trained again after the others still costs the dense phase that it shares with them.
    dense = read_cost(many.folder(group[2]))["dense"]
    shutil.rmtree(many.folder(group[1]))
    train_group(many, group[1:], "cpu")
    assert read_cost(many.folder(group[1]))["dense"] >= dense > 0
    found = write_report(many, [group])
    assert found["overlaps"]["languages"] == []  # those of the first settings, which have no vector


def test_a_dense_phase_that_fails_is_not_repeated_for_each_setting(folder, base_folder, tmp_path, monkeypatch):
    tried = []

    def diverge(corpus, base, recipe, **options):
        tried.append(recipe.k)
        raise TrainingError("The loss is no longer a number.")

    monkeypatch.setattr("deftx.evidence.many.learn_language", diverge)
    settings = {name: {"k": k, **SETTINGS} for name, k in (("few", 100.0), ("more", 200.0))}
    (group,) = groups_of({"ban": folder / "ban.txt"}, settings, (42,))
    failed = train_group(Many(tmp_path / "out", str(base_folder), "quick"), group, "cpu")
    assert tried == [100.0]
    assert failed == dict.fromkeys(group, "The loss is no longer a number.")


@pytest.mark.parametrize("function", ["load_base", "learn_language"])
@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_missing_memory_fails_the_vector_and_not_the_command(
    folder, base_folder, tmp_path, monkeypatch, error, function
):
    def overflow(*arguments, **options):
        raise error

    monkeypatch.setattr(f"deftx.evidence.many.{function}", overflow)
    (group,) = groups_of({"ban": folder / "ban.txt"}, {"default": {}}, (42,))
    failed = train_group(Many(tmp_path / "out", str(base_folder), "quick"), group, "cpu")
    assert "ran out of memory. Choose a smaller batch_size" in failed[group[0]]


def test_an_unknown_error_is_no_failure_of_the_vector(folder, base_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("deftx.evidence.many.learn_language", Mock(side_effect=RuntimeError("shape")))
    (group,) = groups_of({"ban": folder / "ban.txt"}, {"default": {}}, (42,))
    with pytest.raises(RuntimeError, match="shape"):
        train_group(Many(tmp_path / "out", str(base_folder), "quick"), group, "cpu")


def test_memory_that_runs_out_after_the_dense_phase_loses_no_delta(folder, base_folder, tmp_path, monkeypatch):
    many = Many(tmp_path / "out", str(base_folder), "quick")
    (group,) = groups_of({"ban": folder / "ban.txt"}, {"default": {"k": 100.0, **SETTINGS}}, (42,))
    with monkeypatch.context() as patch:
        patch.setattr("deftx.training.pipeline.denoise_all", Mock(side_effect=MemoryError))
        assert "continues from its last checkpoint" in train_group(many, group, "cpu")[group[0]]
    delta = many.out / "delta" / group[0].dense_name
    assert (delta / "delta.safetensors").is_file()
    said = []
    monkeypatch.setattr("deftx.evidence.costs.Timed.__call__", lambda timed, event: said.append(event.message))
    assert train_group(many, group, "cpu") == {}
    assert f"The dense phase was finished before: δ is read from {delta}." in said
    assert not delta.exists()


def one_is_killed(many, group, device):
    if group[0].language == "min":
        os.kill(os.getpid(), signal.SIGKILL)
    return dict.fromkeys(group, "Another failure.")


def test_a_process_that_is_killed_is_a_failure_of_its_vectors(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("deftx.evidence.many.train_group", one_is_killed)
    many, groups = Many(tmp_path / "out", "", "quick"), groups_of(corpora_in(folder), {"default": {}}, (42,))
    train_many(many, groups, ["cpu"], Reporter(lambda text: None, lambda: False), ALL)
    said = {group[0].language: many.failure(group[0]).read_text() for group in groups}
    assert "was killed (exit status -9)" in said.pop("min")
    assert said == dict.fromkeys(("ban", "xyz"), "Another failure.\n")


@pytest.mark.slow
def test_a_folder_of_corpora_is_trained_reported_and_continued(folder, base_folder, tmp_path, capsys):
    settings = table(tmp_path / "t.csv", f"name,k,{','.join(SETTINGS)}",
                     *(f"{name},{k},{','.join(map(str, SETTINGS.values()))}" for name, k in (("few", 100), ("more", 300))))  # fmt: skip
    out = tmp_path / "out"
    command = [
        str(part)
        for part in (
            "many",
            folder,
            "--out",
            out,
            "--table",
            settings,
            "--base",
            base_folder,
            "--device",
            "cpu",
            "--json",
        )
    ]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    rows = list(csv.DictReader((out / "results.csv").open(encoding="utf-8")))
    assert [(row["language"], row["setting"]) for row in rows] == [
        (language, name) for name in ("few", "more") for language in ("ban", "min", "xyz")
    ]
    assert all(row["failure"] == "" and int(row["entries"]) == {"few": 100, "more": 300}[row["setting"]]
               for row in rows if row["language"] != "xyz")  # fmt: skip
    assert all(row["entries"] == "" and "text" in row["failure"] for row in rows if row["language"] == "xyz")
    ban, other = (SparseVector.load(out / "vectors" / f"{name}-few-42") for name in ("ban", "min"))
    assert found["overlaps"]["languages"] == ["ban", "min"]
    assert found["overlaps"]["matrix"][0][1] == overlap(ban, other)
    assert "4 of 6 language vectors" in (out / "report.md").read_text(encoding="utf-8")
    assert not (out / "delta").exists() or not list((out / "delta").iterdir())

    times = {path: path.stat().st_mtime_ns for path in out.glob("vectors/*/vector.json")}
    shutil.rmtree(out / "vectors" / "min-more-42")
    (folder / "xyz.txt").write_text("\n".join(tiny.sentences(60, seed=9)))
    assert main(command) == 0
    assert {path.parent.name for path in out.glob("vectors/*/vector.json")} >= {
        "min-more-42",
        "xyz-few-42",
        "xyz-more-42",
    }
    assert all(path.stat().st_mtime_ns == time for path, time in times.items() if "min-more" not in str(path))
    settings.write_text(settings.read_text().replace("few,100,", "few,200,"))
    assert main(command) == 2
    assert "other settings" in capsys.readouterr().err
