"""What goes along to another machine, and what stays."""

import pytest

from deftx.core.files import write_json
from deftx.jobs.job import JobError
from deftx.jobs.remote.package import pack


@pytest.fixture
def folder(tmp_path):
    """The folder of a job that has run before."""
    folder = tmp_path / "job"
    (folder / "out" / "run").mkdir(parents=True)
    (folder / "out" / "run" / "best.safetensors").write_bytes(b"best")
    (folder / "out" / "run" / "half.part").write_bytes(b"half")
    (folder / ".arriving").mkdir()
    (folder / ".arriving" / "old").write_bytes(b"old")
    for name in ("job.json", "result.json", "spent.json", "remote.json"):
        write_json(folder / name, {})
    return folder


def named(package):
    return {name: path.read_bytes() for path, name in package.files}


def test_files_of_one_name_do_not_meet_and_keep_it(folder, tmp_path):
    paths = [tmp_path / place / "text.txt.gz" for place in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(path.parent.name.encode())
    package = pack(
        {"corpus": [str(path) for path in paths], "device": "hf-jobs", "flavor": "l4x1", "hours": 1}, folder, "cuda"
    )
    assert package.settings == {
        "corpus": ["files/corpus-0/text.txt.gz", "files/corpus-1/text.txt.gz"],
        "device": "cuda",
    }
    assert named(package) == {
        "files/corpus-0/text.txt.gz": b"one", "files/corpus-1/text.txt.gz": b"two", "out/run/best.safetensors": b"best",
    }  # fmt: skip
    assert package.bytes == 10


def test_folders_go_along_whole_and_names_stay_names(folder, tmp_path):
    base = tmp_path / "my-base"
    (base / "more").mkdir(parents=True)
    (base / "config.json").write_bytes(b"{}")
    (base / "more" / "x").write_bytes(b"x")
    (folder / "train.csv").write_bytes(b"text,label")
    settings = {"train": "train.csv", "base": str(base), "source": "cambridgeltl/min", "delta": "delta"}
    package = pack(settings, folder, "cpu")
    assert package.settings["base"] == "files/base/my-base"
    assert package.settings["source"] == "cambridgeltl/min"
    assert package.settings["train"] == "files/train-0/train.csv"
    assert {"files/base/my-base/config.json", "files/base/my-base/more/x"} <= named(package).keys()


def test_further_labelled_files_word_lists_and_vectors_go_along(folder, tmp_path):
    paths = {name: tmp_path / name / "a.csv" for name in ("train", "further", "words", "more")}
    for name, path in paths.items():
        path.parent.mkdir()
        path.write_bytes(name.encode())
    vector = tmp_path / "vector"
    vector.mkdir()
    (vector / "vector.json").write_bytes(b"{}")
    settings = {
        "train": str(paths["train"]), "lexicon": [str(paths["words"])], "start": str(vector), "repeat": 2,
        "further": [{"file": str(paths["further"]), "source": str(vector), "repeat": 9, "lexicon": [str(paths["more"])]},
                    {"file": str(paths["more"]), "source": "ana/min"}],
    }  # fmt: skip
    package = pack(settings, folder, "cpu")
    assert package.settings["further"] == [
        {"file": "files/further-0-file-0/a.csv", "source": "files/further-0-source/vector", "repeat": 9,
         "lexicon": ["files/further-0-lexicon-0/a.csv"]},
        {"file": "files/further-1-file-0/a.csv", "source": "ana/min"},
    ]  # fmt: skip
    assert package.settings["lexicon"] == ["files/lexicon-0/a.csv"]
    assert package.settings["start"] == "files/start/vector"
    sent = named(package)
    assert sent["files/further-0-file-0/a.csv"] == b"further"
    assert sent["files/further-0-source/vector/vector.json"] == b"{}"
    assert settings["further"][0]["file"] == str(paths["further"])  # the job here keeps its own paths


def test_a_file_that_is_gone_is_named(folder):
    with pytest.raises(JobError, match=r"gone\.csv, a data file of the job, does not exist"):
        pack({"train": "/nowhere/gone.csv"}, folder, "cpu")


@pytest.mark.parametrize("delta", ["/elsewhere", "../delta"])
def test_delta_outside_the_folder_is_refused(folder, delta):
    with pytest.raises(JobError, match="own folder"):
        pack({"delta": delta}, folder, "cpu")
