"""What ``many`` wrote is read back, and files that it did not write are refused."""

import zipfile

import pytest

from deftx.core.errors import DeftxError
from deftx.evidence.many_report import COLUMNS
from deftx.evidence.many_results import LARGEST, OVERLAPS, RESULTS, read_many

ROW = ("ban", "Balinese", "default", "42", "60", "900", "6.9", "5.4", "600", "12", "0.5", "")
FAILED = ("xyz", "xyz", "default", "42", "", "", "", "", "", "", "", "There is no usable text in xyz.txt.")
FILES = {
    RESULTS: "\n".join(",".join(row) for row in (COLUMNS, ROW, FAILED)),
    OVERLAPS: ",ban,min\nban,1.0,0.25\nmin,0.25,1.0\n",
}


def write(folder, **changes):
    folder.mkdir(exist_ok=True)
    for name, content in (FILES | changes).items():
        if content is not None:
            (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_a_folder_and_a_zip_of_it_give_the_same(tmp_path):
    folder = write(tmp_path / "OUT")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        for name in FILES:
            archive.write(folder / name, f"OUT/{name}")
        for number in range(1_001):
            archive.writestr(f"OUT/vectors/ban-default-{number}/vector.json", "{}")
        for name in ("cluster/1/1_submitted.pkl", "corpora/ban.txt.gz"):
            archive.writestr(f"OUT/{name}", b"")
    found = read_many(folder)
    assert read_many(tmp_path / "out.zip") == found
    assert (found.rows[0]["loss_after"], found.rows[1]["failure"]) == ("5.4", FAILED[-1])
    assert found.languages == ("ban", "min")
    assert found.overlaps == ((1.0, 0.25), (0.25, 1.0))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({RESULTS: None}, r"There is no results\.csv"),
        ({OVERLAPS: None}, r"There is no overlaps\.csv"),
        ({RESULTS: "a,b\n1,2"}, "columns are not"),
        ({RESULTS: ",".join(COLUMNS) + "\nban"}, "columns are not"),
        ({RESULTS: ""}, "columns are not"),
        ({OVERLAPS: ",ban,min\nban,1.0,0.25\n"}, "for each two"),
        ({OVERLAPS: ",ban\nban,x\n"}, "for each two"),
        ({OVERLAPS: ",ban\nban,nan\n"}, "for each two"),
        ({OVERLAPS: ",ban\nban,7\n"}, "for each two"),
        ({OVERLAPS: "," + "a," * 200}, "for each two"),
        ({OVERLAPS: "0" * (LARGEST[OVERLAPS] + 1)}, "too large"),
        (
            {RESULTS: '"' + "a" * 200_000},
            "cannot be read|columns are not",
        ),  # by csv's limit, which the process may raise
    ],
)
def test_a_file_that_many_did_not_write_is_refused(tmp_path, changes, said):
    with pytest.raises(DeftxError, match=said):
        read_many(write(tmp_path / "OUT", **changes))


@pytest.mark.parametrize("name", [f"../{RESULTS}", f"/tmp/{RESULTS}"])
def test_a_hostile_zip_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr(name, FILES[RESULTS])
    with pytest.raises(DeftxError, match="outside of its folder"):
        read_many(tmp_path / "out.zip")


def test_a_file_that_is_not_there_is_a_message(tmp_path):
    with pytest.raises(DeftxError):
        read_many(tmp_path / "none.zip")
