"""The results of ``many`` in the Library: shown from a zip to everybody, from a folder of the machine to the host alone."""

import json
import zipfile

from deftx.evidence.many_report import COLUMNS
from deftx.evidence.many_results import OVERLAPS, RESULTS
from deftx.jobs import Store
from ui import strings
from ui.current import acting_in
from ui.library import many_form
from ui.overlap.overlap_figures import MOST_WRITTEN, matrix_figure
from ui.studio import Studio

ROWS = (COLUMNS, ("ban", "Balinese", "default", "42", "60", "900", "6.9", "5.4", "600", "12", "0.5", ""),
        ("min", "Minangkabau", "default", "42", "", "", "", "", "", "", "", "<b>no text"))  # fmt: skip


def write(folder):
    folder.mkdir()
    (folder / RESULTS).write_text("\n".join(",".join(row) for row in ROWS), encoding="utf-8")
    (folder / OVERLAPS).write_text(",ban,min\nban,1.0,0.25\nmin,0.25,1.0\n", encoding="utf-8")
    return folder


def test_a_zip_is_shown_as_a_table_and_a_heat_map(studio, tmp_path):
    folder = write(tmp_path / "OUT")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        for name in (RESULTS, OVERLAPS):
            archive.write(folder / name, name)
    table, figure = many_form.from_file(str(tmp_path / "out.zip"))
    assert "1 of 2 vectors" in table
    assert "Balinese (ban)" in table
    assert "<b>no text" not in table
    assert "&lt;b&gt;no text" in table
    assert json.loads(figure)["data"][0]["z"] == [[None, 25.0], [25.0, None]]
    with strings.speaking("id"):
        assert "1 dari 2 vektor" in many_form.from_file(str(tmp_path / "out.zip"))[0]
    assert many_form.from_file(None) == ("", "")


def test_a_folder_is_shown_to_the_host_alone(studio, page_base, tmp_path):
    folder = write(tmp_path / "OUT")
    assert many_form.from_folder(f" {folder} ") == many_form.from_folder(str(folder))
    assert "1 of 2 vectors" in many_form.from_folder(str(folder))[0]
    assert [part.visible for part in many_form.renew()] == [True, True]
    person = Studio(str(page_base), Store(tmp_path / "person"), host=studio)
    with acting_in(person):
        said, figure = many_form.from_folder(str(folder))
        assert strings.MANY_ONLY_HOST in said
        assert figure == ""
        assert [part.visible for part in many_form.renew()] == [False, False]


def test_what_is_no_report_is_a_message(studio, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"x")
    for said, figure in (many_form.from_file(str(tmp_path / "a.zip")), many_form.from_folder(str(tmp_path))):
        assert 'role="alert"' in said
        assert figure == ""


def test_the_numbers_of_many_languages_are_shown_on_hover_alone():
    def drawn(count):
        return matrix_figure([f"l{n}" for n in range(count)], [[1.0] * count] * count)

    assert drawn(MOST_WRITTEN).data[0].texttemplate
    assert not drawn(MOST_WRITTEN + 1).data[0].texttemplate
    assert matrix_figure(["one"], [[None]]) is None
