"""A file of texts on the page: without these, answers could stand beside the wrong texts, or be another visitor's."""

import csv
import threading
from dataclasses import replace

import gradio as gr
import pytest
from test_ui_handlers import filled_in
from tiny_base import finish_language_job, finish_task_job, write_corpus

from deftx.cli import main
from deftx.core.assets import ASSETS
from deftx.core.calibration import Calibration, Curve, margins
from deftx.jobs import Store
from ui import strings
from ui.classify import column_form, file_tab, file_tasks, file_views
from ui.classify.combination import Combination
from ui.classify.file_tab import FileTab
from ui.classify.other_languages import LEAST, OtherLanguage, other_language
from ui.studio import Studio

ROWS = [("1", "the food is good"), ("2", ""), ("3", "=the day <b>is</b> bad"), ("4", "the night is not awful")]
INDONESIAN = (ASSETS / "samples" / "indonesian.txt").read_text(encoding="utf-8").splitlines()
MINANGKABAU = [
    "Pelayanannyo elok jo ramah, ambo suko bana makan di siko", "Makanannyo lamak bana, tapi haragonyo agak maha",
    "Urang rumah ambo pai ka pasa pagi ko mambali lauak", "Kami alah lamo indak basuo jo inyo",
    "Hari ko hujan labek, jadi indak bisa pai ka ladang", "Inyo alah pulang ka kampuang sajak patang",
]  # fmt: skip
STATE = {name: place for place, name in enumerate(FileTab.__dataclass_fields__)}


@pytest.fixture(scope="module")
def studio(tmp_path_factory, page_base):
    store = Store(tmp_path_factory.mktemp("home"))
    finish_task_job(store, page_base)
    finish_language_job(store, page_base, write_corpus(tmp_path_factory.mktemp("text") / "text.txt"))
    return Studio(str(page_base), store)


@pytest.fixture(scope="module")
def keys(studio):
    return {job.kind: f"job:{job.id}" for job in studio.store.list()}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my texts.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("id", "text"), *ROWS])
    return path


def read(path):
    with open(path, encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def begin(studio, file, keys, *columns):
    id_, *rest = file_tab.begin(
        str(file), filled_in(task=keys["task"], language=keys["language"]), "", *(columns or (None,) * 3)
    )
    studio.background_tasks.wait(id_)
    return id_, rest


def test_a_file_becomes_a_csv_equal_to_that_of_the_command_line(studio, keys, file, tmp_path, page_base):
    id_, _ = begin(studio, file, keys)
    found = studio.background_tasks.find(id_).result
    vectors = [str(job.out) for kind in ("task", "language") for job in studio.store.list() if job.kind == kind]
    there = tmp_path / "cli.csv"
    arguments = ["classify", "--task", vectors[0], "--language", vectors[1], "--base", str(page_base)]
    assert main([*arguments, "--file", str(file), "--out", str(there)]) == 0
    assert found.file().read_bytes() == there.read_bytes()
    assert [row["text"] for row in read(found.file())] == [
        "the food is good",
        "",
        "'=the day <b>is</b> bad",
        "the night is not awful",
    ]
    assert found.file().name == "my-texts-classified.csv"
    assert sum(found.counts.values()) == len(found.rows.texts) == 3


def test_a_look_shows_what_came_out_and_asks_no_longer(studio, keys, file):
    id_, (view, *_, timer) = begin(studio, file, keys)
    assert timer.active
    assert "progressbar" in view
    shown = file_tab.look(id_)
    assert len(shown) == len(STATE)
    assert not shown[STATE["timer"]].active
    assert not shown[STATE["stop"]].visible
    assert shown[STATE["found"]].visible
    assert shown[STATE["download"]].value["path"].endswith("my-texts-classified.csv")
    assert strings.ROWS_WITHOUT_TEXT.format(count=1) in shown[STATE["view"]]
    assert strings.FORMULAS_DISARMED.format(count=1).split(":")[0] in shown[STATE["view"]]
    assert "&lt;b&gt;is&lt;/b&gt;" in shown[STATE["rows"]]
    assert "<b>is" not in shown[STATE["rows"]]
    assert [value for _, value in shown[STATE["label"]].choices] == ["", "negative", "positive"]
    found = studio.background_tasks.find(id_).result
    assert "left out &lt;" in file_views.summary(replace(found, rows=replace(found.rows, notes=("left out <",))))


def test_rows_are_filtered_by_label_and_sorted_by_certainty(studio, keys, file):
    id_, _ = begin(studio, file, keys)
    found = studio.background_tasks.find(id_).result
    for label, count in found.counts.items():
        assert file_tab.show_rows(id_, label, "file").count('<th scope="row">') == count
    surest, doubtful = (file_tab.show_rows(id_, "", order) for order in ("surest", "doubtful"))
    order = found.probabilities.max(-1).values.argsort(descending=True).tolist()
    places = [surest.index(file_views.text(found.rows.texts[row])) for row in order]
    assert places == sorted(places)
    assert doubtful.index(file_views.text(found.rows.texts[order[0]])) > doubtful.index(
        file_views.text(found.rows.texts[order[-1]])
    )


def test_accuracy_is_estimated_and_sure_answers_are_chosen_where_the_task_has_a_calibration(studio, keys, file):
    id_, _ = begin(studio, file, keys)
    shown, found = file_tab.look(id_), studio.background_tasks.find(id_).result
    assert found.calibration is None
    assert "estimated without labels" not in shown[STATE["view"]]
    assert not shown[STATE["sure"]].visible
    margin = margins(found.probabilities.numpy())
    curve = Curve([0.3, 1.0], [float(margin.max()), 0.0], [0.9, 0.4])
    known = replace(found, calibration=Calibration(1.0, 100, 0.3, (0.0, 0.0), (1.0, 1.0), float(margin.max()), curve))
    assert strings.TOO_FEW_TO_ESTIMATE.format(least=20) in file_views.summary(known)
    many = replace(known, probabilities=known.probabilities.repeat(7, 1))  # one answer of three is above the threshold
    assert strings.ESTIMATED.split("{")[0] + "33 of 100" in file_views.summary(many)
    assert known.sure(0.75) == (margin == margin.max()).tolist()  # errors count 2.25 times as often: 0.25 / 2.25 > 0.1
    assert known.sure(0.8) == [False] * 3
    assert file_views.sure_choices(known)[0] == (strings.ANY, 0.0)
    assert file_views.rows(known, "", "file", 0.75).count('<th scope="row">') == 1
    assert file_views.rows(known, "", "file").count('<th scope="row">') == 3


def test_columns_that_are_not_recognised_are_asked_for(studio, keys, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("id,review\n1,the food is good\n", encoding="utf-8")
    place, asked, text, premise, _, said, _ = file_tab.receive(str(file), keys["task"])
    assert place.visible
    assert "a.csv" in asked
    assert (text.value, text.visible, premise.visible, said) == ("review", True, False, gr.skip())
    with pytest.raises(file_tasks.TableError, match="no column 'text'"):
        begin(studio, file, keys)
    id_, _ = begin(studio, file, keys, "review", None, None)
    assert studio.background_tasks.find(id_).result.rows.texts == ["the food is good"]
    (tmp_path / "no.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    *_, said, found = file_tab.receive(str(tmp_path / "no.xlsx"), keys["task"])
    assert strings.NOT_READ in said
    assert not found.visible  # the result of an earlier file does not stay below the refusal
    recognised = file_tab.receive(str(file.rename(tmp_path / "a.txt")), keys["task"])
    assert not recognised[0].visible


def test_a_refusal_goes_when_another_file_is_chosen_and_a_result_stays(studio, keys, file, tmp_path):
    (tmp_path / "foto.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    (tmp_path / "old.txt").write_bytes("été, déjà vu\n".encode("cp1252") * 9)  # the encoding form asks
    (tmp_path / "a.csv").write_text("id,review\n1,the food is good\n", encoding="utf-8")  # its column is asked for
    refused = file_tab.receive(str(tmp_path / "foto.txt"), keys["task"])[-2]
    assert "foto.txt" in refused
    for other in (str(file), str(tmp_path / "a.csv"), str(tmp_path / "old.txt"), None):
        assert strings.NO_FILE_YET in file_tab.receive(other, keys["task"], refused)[-2]
        assert file_tab.receive(other, keys["task"], "<h3>my texts.csv</h3>")[-2:] == (gr.skip(), gr.skip())


def test_a_choice_of_columns_must_be_whole():
    with pytest.raises(file_tasks.TableError, match="column for each"):
        column_form.mapping((None, "a", None), True, labelled=False)
    with pytest.raises(file_tasks.TableError, match="its own column"):
        column_form.mapping((None, "a", "a"), True, labelled=False)
    assert column_form.mapping((None, None, None), True, labelled=False) is None
    assert column_form.mapping(("a", "b", "c", "d"), False, labelled=True) == {"text": "a", "label": "d"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "premise,hypothesis\na,b\n", "classifies single texts"),
        ("a.txt", "\n\n", "no text to classify"),
        ("a.jsonl", "{", "not JSON"),
        ("long.txt", "the food\n" * 6, "up to 5"),
    ],
)
def test_what_cannot_be_classified_is_said(studio, keys, tmp_path, monkeypatch, name, content, reason):
    monkeypatch.setattr(file_tasks, "MOST_TEXTS", 5)
    (tmp_path / name).write_text(content, encoding="utf-8")
    id_ = file_tab.begin(str(tmp_path / name), filled_in(task=keys["task"]), "", None, None, None)[0]
    with pytest.raises(file_tasks.TableError, match=reason):
        studio.background_tasks.wait(id_)
    shown = file_tab.look(id_)
    assert strings.FILE_REFUSED in shown[0]
    assert not shown[STATE["found"]].visible


def test_nothing_is_begun_without_a_file_a_task_or_with_a_key_that_is_none(studio, keys, file):
    _, said, _, found, *_ = file_tab.begin(None, filled_in(task=keys["task"]), "", None, None, None)
    assert strings.NEEDS_FILE in said
    assert not found.visible  # an earlier result does not stay below the refusal
    assert strings.NEEDS_TASK_VECTOR in file_tab.begin(str(file), filled_in(), "", None, None, None)[1]
    assert "not known" in file_tab.begin(str(file), filled_in(task="../../etc"), "", None, None, None)[1]


def test_sentences_are_classified_while_a_long_file_is_and_it_can_be_stopped(studio, keys, file):
    gate, running = threading.Event(), threading.Event()

    def long(on_share):
        running.set()
        gate.wait(20)
        on_share(0.5)

    first = studio.background_tasks.start(long)
    assert running.wait(20)
    id_ = file_tab.begin(str(file), filled_in(task=keys["task"]), "", None, None, None)[0]
    going = file_tab.look(id_)
    assert "Before this: 1." in going[0]
    assert len(going) == len(STATE)  # Gradio refuses another number of values than of outputs
    assert sum(studio.classify("the food is good", keys["task"]).probabilities.values()) == pytest.approx(1)
    studio.background_tasks.stop(id_)
    shown = file_tab.look(id_)
    assert len(shown) == len(STATE)
    assert strings.WORK_STOPPED.split(";")[0] in shown[0]
    assert not shown[STATE["timer"]].active
    studio.background_tasks.stop(first)
    gate.set()


def test_a_result_that_is_gone_or_was_never_there_is_said(studio):
    assert strings.WORK_GONE[:30] in file_tab.look("guessed")[0]
    assert file_tab.look("")[0] == gr.skip()
    assert len(file_tab.look("")) == len(STATE)
    other = studio.background_tasks.start(lambda on_share: "not a file")
    studio.background_tasks.wait(other)
    assert strings.WORK_GONE[:30] in file_tab.look(other)[0]
    assert strings.WORK_GONE[:30] in file_tab.show_rows(other, "", "file")


def test_the_files_go_with_the_result(studio, keys, file):
    id_, _ = begin(studio, file, keys)
    path = studio.background_tasks.find(id_).result.file()
    assert path.is_file()
    del studio.background_tasks._known[id_]
    assert not path.exists()


def test_texts_that_are_not_read_to_their_end_are_counted(studio, keys, tmp_path):
    long = tmp_path / "long.csv"
    long.write_text(f"text\nthe food is good\n{'the food is good ' * 300}\n", encoding="utf-8")
    id_, _ = begin(studio, long, keys)
    found = studio.background_tasks.find(id_).result
    assert found.cut == 1
    assert strings.TEXTS_CUT.format(count=1, most=found.max_length) in file_views.summary(found)


def test_texts_in_another_language_than_that_of_the_vectors_are_said(studio, keys, tmp_path):
    path = tmp_path / "indonesian.txt"
    path.write_text("\n".join(INDONESIAN[:20]), encoding="utf-8")
    id_, _ = begin(studio, path, keys)
    found = studio.background_tasks.find(id_).result
    assert found.other == OtherLanguage("ind", ("min",))
    said = strings.FILE_OTHER_LANGUAGE.format(found="Indonesian", expected="Minangkabau")
    assert f"{said} </li>" in file_views.summary(found)  # there is no vector for Indonesian
    (ready,) = file_views.language_notes(OtherLanguage("min", ("ind",)))
    assert ready.endswith(strings.FILE_LANGUAGE_READY.format(found="Minangkabau"))
    with strings.speaking("es"):
        assert "indonesio" in file_views.summary(found)


def test_no_other_language_is_said_where_that_is_not_clear(studio, keys):
    chosen = Combination.of(keys["task"], [(keys["language"], 1.0)])
    assert other_language(studio, chosen, INDONESIAN[:LEAST]).found == "ind"
    pairs = list(zip(INDONESIAN[:LEAST], INDONESIAN[LEAST : 2 * LEAST], strict=True))
    assert other_language(studio, chosen, pairs).found == "ind"
    for texts in (
        MINANGKABAU, MINANGKABAU + INDONESIAN[:6], INDONESIAN[: LEAST - 1], ["pagi itu", "hujan turun"] * 9, ["12 34 56"] * 9,
    ):  # fmt: skip
        assert other_language(studio, chosen, texts) is None
    # What the task was learned in is not known here, and nothing else was chosen.
    assert other_language(studio, Combination.of(keys["task"]), INDONESIAN) is None


def test_a_damaged_language_profile_does_not_prevent_the_answers(studio, keys):
    damaged = studio.facts.languages_folder / "xx.json"
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_text("{", encoding="utf-8")
    chosen = Combination.of(keys["task"], [(keys["language"], 1.0)])
    assert other_language(studio, chosen, INDONESIAN) is None
    damaged.unlink()
