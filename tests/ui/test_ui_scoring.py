"""A labelled file on the page: without these, a vector could be praised for rows it was trained on, or for another's."""

import json
import re
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import tiny
from test_ui_handlers import filled_in
from tiny_base import finish_language_job, finish_task_job, make_base, write_corpus

from deftx.cli import main
from deftx.core.assets import ASSETS
from deftx.core.errors import DeftxError, TableError
from deftx.core.evaluation import evaluate_predictions
from deftx.core.files import write_json
from deftx.jobs import Store
from deftx.publish.score_words import scores_in_words
from ui import strings
from ui.api import api_files
from ui.classify import score_figures, score_tab, score_views
from ui.classify.combination import Combination
from ui.classify.score_tab import ScoreTab
from ui.classify.scoring import Mismatch, Wanted
from ui.library import vector_index
from ui.shared import views
from ui.shared.label_form import MOST_MAPPED
from ui.studio import Studio

STATE = {name: place for place, name in enumerate(list(ScoreTab.__dataclass_fields__)[1:])}
WORDS = {"good": "positive", "fine": "positive", "bad": "negative", "awful": "negative"}
ROWS = [(f"the {noun} was {word}", label) for noun in ("day", "night", "food") for word, label in WORDS.items()]


@pytest.fixture(scope="module")
def studio(tmp_path_factory, page_base):
    store = Store(tmp_path_factory.mktemp("home"))
    text = write_corpus(tmp_path_factory.mktemp("text") / "text.txt")
    finish_task_job(store, page_base)
    finish_language_job(store, page_base, text, "Bugis")
    finish_language_job(store, page_base, text, "Minangkabau")
    finish_language_job(store, make_base(tmp_path_factory.mktemp("other") / "base", draw=1), text, "Elsewhere")
    studio = Studio(str(page_base), store)
    folder = tmp_path_factory.mktemp("tables")
    studio.tables.add(tiny.write_csv(folder / "test.csv", ("text", "label"), ROWS))
    short = [(text, label[:3].upper()) for text, label in ROWS]
    studio.tables.add(tiny.write_csv(folder / "short.csv", ("text", "label"), [*short, ("the house", "mixed")]))
    studio.tables.add(
        tiny.write_csv(folder / "pairs.csv", ("premise", "hypothesis", "label"), [("a", "b", "positive")])
    )
    studio.tables.add(tiny.write_csv(folder / "many.csv", ("text", "label"), [(f"day {n}", f"{n}") for n in range(20)]))
    return studio


@pytest.fixture(scope="module")
def keys(studio):
    return {job.name: f"job:{job.id}" for job in studio.store.list()}


def wanted(studio, keys, table="test.csv", names=None, compared=False, language="Bugis"):
    combinations = studio.scoring.combinations(Combination.of(keys["Mood"], [(keys.get(language), 1.0)]), compared)
    return Wanted(table, names or {}, keys["Mood"], combinations)


def begin(keys, table="test.csv", *labels):
    """Start from the form: ``labels`` are (of the file, of the task)."""
    meant = [known for _, known in labels] + [None] * (MOST_MAPPED - len(labels))
    return score_tab.begin(
        table,
        filled_in(task=keys["Mood"], language=keys["Bugis"]),
        False,
        "",
        [found for found, _ in labels],
        *meant,
    )


@pytest.mark.slow
def test_every_number_is_that_of_the_command_line_to_the_digit(studio, keys, page_base, capsys):
    found = api_files.describe(studio.scoring.score(wanted(studio, keys), lambda share: None))
    out = {job.name: str(job.out) for job in studio.store.list()}
    vectors = {
        "base": ["--strength-task", "0"], "task": [], "language": ["--language", out["Bugis"], "--strength-task", "0"],
        "both": ["--language", out["Bugis"]],
    }  # fmt: skip
    assert [one["kind"] for one in found["combinations"]] == list(vectors)
    file = str(studio.tables.path("test.csv"))
    for one in found["combinations"]:
        for metric in ("f1", "accuracy"):
            arguments = ["evaluate", "--task", out["Mood"], *vectors[one["kind"]], file, "--metric", metric, "--json"]
            capsys.readouterr()
            assert main([*arguments, "--base", str(page_base)]) == 0
            printed = json.loads(capsys.readouterr().out)
            assert {name: printed[name] for name in one["scores"][metric]} == json.loads(
                json.dumps(one["scores"][metric])
            )
    assert (found["n"], found["labels"]) == (12, ["negative", "positive"])


def test_languages_are_compared_where_they_fit_the_base_and_cost_only_themselves(studio, keys, monkeypatch):
    first = studio.scoring.score(wanted(studio, keys), lambda share: None)
    composed = []
    compose = studio.composing.composed_of
    monkeypatch.setattr(studio.composing, "composed_of", lambda *a: composed.append(a) or compose(*a))
    told = []
    more = studio.scoring.score(wanted(studio, keys, compared=True), told.append)
    ids = [line.name for line in more.lines]
    assert ids == ["base", "task", f"language:{keys['Bugis']}", f"both:{keys['Bugis']}", f"both:{keys['Minangkabau']}"]
    assert [(order.task, order.languages) for order, _ in composed] == [(keys["Mood"], ((keys["Minangkabau"], 1.0),))]
    assert told[-1] == 1.0
    assert [line.to_dict() for line in more.lines[:4]] == [line.to_dict() for line in first.lines]
    with pytest.raises(DeftxError, match="not known"):
        studio.scoring.combinations(Combination.of(keys["Mood"]), ["job:none"])
    alone = studio.scoring.combinations(Combination.of(keys["Mood"]), [keys["Minangkabau"]])
    assert [one.id for one in alone] == ["base", "task", f"both:{keys['Minangkabau']}"]


def test_each_of_several_chosen_languages_is_compared_alone(studio, keys):
    chosen = [(keys[name], 1.0) for name in ("Bugis", "Minangkabau")]
    found = studio.scoring.combinations(Combination.of(keys["Mood"], chosen), True)
    both = [one for one in found if one.kind == "both"]
    assert [dict(one.vectors.languages) for one in both[:1]] == [dict(chosen)]
    assert sorted(one.vectors.languages for one in both[1:]) == sorted((one,) for one in chosen)
    assert len({one.id for one in found}) == len(found)


def test_a_replaced_vector_is_scored_anew(studio, keys):
    studio.scoring.score(wanted(studio, keys), lambda share: None)
    kept = len(studio.scoring._kept)
    info = studio.store.get(keys["Bugis"].removeprefix("job:")).out / "vector.json"
    write_json(info, json.loads(info.read_text()))
    studio.scoring.score(wanted(studio, keys), lambda share: None)
    assert len(studio.scoring._kept) == kept + 2  # φ_L alone and both; the others are as they were


def test_labels_that_do_not_fit_are_named_and_mapped_by_hand(studio, keys):
    with pytest.raises(Mismatch, match=r"In the file: NEG, POS, mixed\. In the task: negative, positive\."):
        studio.scoring.read(wanted(studio, keys, "short.csv"))
    id_, said, *_, place, asked, first, second, third, fourth = begin(keys, "short.csv")[: 6 + 6]
    assert id_ == gr.skip()
    assert (begin(keys, "short.csv")[3], begin(keys, "short.csv")[4].visible) == ("", False)
    assert "NEG, POS, mixed" in said
    assert place.visible
    assert strings.LABELS_GUESSED.split(";")[0] in asked
    assert [(field.value, field.visible) for field in (first, second, third)] == [
        ("negative", True), ("positive", True), ("", True),
    ]  # fmt: skip
    assert "“NEG”" in first.label
    assert not fourth.visible
    id_ = begin(keys, "short.csv", ("NEG", "negative"), ("POS", "positive"), ("mixed", ""))[0]
    renamed = studio.background_tasks.wait(id_)
    straight = studio.scoring.score(wanted(studio, keys), lambda share: None)
    assert [line.to_dict() for line in renamed.lines] == [line.to_dict() for line in straight.lines]
    assert strings.ROWS_LEFT_OUT.format(count=1) in score_tab.look(id_)[0]


def test_too_many_strange_labels_are_not_asked_about_one_by_one(studio, keys):
    _, said, *rest = begin(keys, "many.csv")
    assert "0, 1, 2" in said
    assert not rest[4].visible


@pytest.mark.parametrize(
    ("table", "reason"),
    [("pairs.csv", "classifies single texts"), ("none.csv", "not known"), ("", "labelled file first")],
)
def test_what_cannot_be_scored_is_said_at_once(studio, keys, table, reason):
    id_, said, _, intervals, found, *_ = begin(keys, table)
    assert id_ == gr.skip()
    assert reason in said
    assert (intervals, found.visible) == ("", False)  # an earlier result does not stay below the refusal


def test_rows_that_the_task_was_trained_on_are_counted_where_that_is_known(studio, keys, tmp_path):
    mood = studio.store.get(keys["Mood"].removeprefix("job:"))
    table = studio.tables.read("test.csv")
    assert studio.scoring.shared_rows(keys["Mood"], table) is None  # its job names no file
    train = tiny.write_csv(tmp_path / "train.csv", ("review", "label"), [("The DAY was good", "x"), ("else", "y")])
    settings = {**mood.settings, "train": str(train), "columns": {"text": "review"}}
    job = studio.store.add("task", "Again", settings)
    assert studio.scoring.shared_rows(f"job:{job.id}", table) == 1
    more = tiny.write_csv(tmp_path / "more.csv", ("text", "label"), [("the night was bad", "x")])
    both = studio.store.add("task", "Both", {**settings, "further": [{"file": str(more)}]})
    assert studio.scoring.shared_rows(f"job:{both.id}", table) == 2
    train.unlink()
    assert studio.scoring.shared_rows(f"job:{job.id}", table) is None
    assert studio.scoring.shared_rows("bundled:sentiment", table) is None
    studio.store.discard(job.id)
    studio.store.discard(both.id)


def test_rows_are_counted_that_the_vector_was_trained_on_before(studio, keys, tmp_path, monkeypatch):
    table, mood = studio.tables.read("test.csv"), studio.store.get(keys["Mood"].removeprefix("job:"))
    files = [tiny.write_csv(tmp_path / f"{n}.csv", ("text", "label"), [row]) for n, row in enumerate(ROWS[:2])]
    first = studio.store.add("task", "First", {**mood.settings, "train": str(files[0])})
    shared = {}
    for start in (first, mood):  # the job of the second names no file
        known = vector_index.Entry(f"job:{start.id}", start.name, start.out)
        monkeypatch.setattr(vector_index, "entries", lambda *_, known=known: [known])
        settings = {**mood.settings, "train": str(files[1]), "start": str(start.out)}
        further = studio.store.add("task", "Further", settings)
        shared[start.name] = studio.scoring.shared_rows(f"job:{further.id}", table)
        monkeypatch.setattr(vector_index, "entries", lambda *_: [])  # the vector has been deleted
        assert studio.scoring.shared_rows(f"job:{further.id}", table) is None
        studio.store.discard(further.id)
    assert shared == {"First": 2, "Mood": None}
    studio.store.discard(first.id)


def test_labels_are_read_with_the_spellings_of_the_task(studio, keys, tmp_path):
    rows = [(text, label.title()) for text, label in ROWS]
    studio.tables.add(tiny.write_csv(tmp_path / "title.csv", ("text", "label"), rows))
    found = studio.scoring.read(wanted(studio, keys, "title.csv"))
    assert found.labels == [label for _, label in ROWS]
    assert "'Positive' is read as 'positive'" in found.notes[-1]


def test_the_table_names_every_combination_and_says_what_a_difference_means(studio, keys):
    found = studio.scoring.score(wanted(studio, keys), lambda share: None)
    shown = score_views.table(found)
    for said in (
        "Base model as it is",
        "Task vector alone",
        "Bugis (min, trained here) alone",
        strings.SCORE_REFERENCE,
    ):
        assert said in shown
    both = found.lines[3].scores["f1"]
    assert f"{100 * both.score:.1f}<br><small>{100 * both.low:.1f} to {100 * both.high:.1f}</small>" in shown
    assert not any(sign in shown for sign in "θφ")
    assert not re.search(r"\d\.\d\d", shown)  # points with one decimal
    assert strings.TRAINING_UNKNOWN[:40] in score_views.about(found)
    with strings.speaking("es"):
        assert "la referencia" in score_views.table(found)


def test_scores_are_said_in_words_before_the_figures(studio, keys):
    found = studio.scoring.score(wanted(studio, keys), lambda share: None)
    both, base = found.lines[3], found.lines[0]
    right = sum(both.scores["f1"].confusion[place][place] for place in range(2))
    assert f"{right} of 12 are right." in score_views.about(found)
    for line in (both, base):
        shown, _rest = score_views.details(found, line.name).split("<details>", 1)
        for said in scores_in_words(found.predictions[0].labels, line.scores["f1"].confusion):
            assert said in shown
    with strings.speaking("id"):
        assert f"{right} dari 12 benar." in score_views.about(found)


def test_one_combination_is_looked_at_closer(studio, keys):
    id_ = begin(keys)[0]
    found = studio.background_tasks.wait(id_)
    shown = score_tab.look(id_)
    assert len(shown) == len(STATE)
    assert shown[STATE["combination"]].value == f"both:{keys['Bugis']}"
    assert shown[STATE["found"]].visible
    assert not shown[STATE["timer"]].active
    figure, details = score_tab.show(id_, "base")
    line = found.lines[0].scores["f1"]
    assert json.loads(figure)["data"][0]["customdata"] == line.confusion
    assert not re.search(r">\d\.\d\d", details[: details.index(strings.HARDEST)])
    wrong = sum(map(sum, line.confusion)) - sum(line.confusion[n][n] for n in range(2))
    mistakes = details[details.index(strings.HARDEST) :]
    assert mistakes.count('<th scope="row">') == wrong > 0
    assert strings.WORK_GONE[:20] in score_tab.show(id_, "nothing")[1]
    assert strings.WORK_GONE[:20] in score_tab.show("guessed", "base")[1]


def test_the_answers_that_the_language_vector_changed_are_counted_and_listed(studio, keys):
    found = studio.background_tasks.wait(begin(keys)[0])
    alone, both = (
        next(one for one in found.predictions if one.name == name) for name in ("task", f"both:{keys['Bugis']}")
    )
    other = replace(both, probabilities=both.probabilities.flip(1))  # every answer is the other one
    changed = replace(found, predictions=[alone, other])
    rows = list(zip(found.table.texts, found.table.labels, alone.predicted, other.predicted, strict=True))
    right = [row for row in rows if row[2] != row[1] == row[3]]
    wrong = [row for row in rows if row[2] == row[1] != row[3]]
    assert right or wrong
    shown = score_views.details(replace(changed, lines=found.lines), other.name)
    assert strings.CHANGED_ANSWERS.format(right=len(right), wrong=len(wrong)) in shown
    listed = shown[
        shown.index(strings.CHANGED_SENTENCES) : shown.index("</details>", shown.index(strings.CHANGED_SENTENCES))
    ]
    assert all(row[0] in listed for row in (*right, *wrong))
    assert strings.CHANGED_SENTENCES not in score_views.details(found, "task")


def test_a_report_has_the_scores_of_the_combination_that_is_looked_at(studio, keys, monkeypatch):
    monkeypatch.setattr(studio.scoring, "shared_rows", lambda *_: 3)
    id_ = begin(keys, "short.csv", ("NEG", "negative"), ("POS", "positive"), ("mixed", ""))[0]
    found = studio.background_tasks.wait(id_)
    for line in found.lines:
        file, said = score_tab.write_report(id_, line.name)
        text = Path(file).read_text(encoding="utf-8")
        score = line.scores["f1"]
        assert Path(file).name in said
        assert scores_in_words(score.labels, score.confusion)[0] in text
        assert f"Macro-F1: {score.score:.3f} (95 % interval {score.low:.3f} to {score.high:.3f}" in text
        assert "Measured on 12 labelled rows of short.csv." in text
        assert "Rows of the file that were left out: 1." in text
        assert (
            "3 of the tested texts are also in the training files of the task vector: the scores are too high." in text
        )
    assert score_tab.write_report(id_, "nothing") == (None, views.notice(strings.WORK_GONE))


def test_the_confusion_matrix_is_drawn_with_a_number_in_every_cell(studio, keys):
    line = studio.scoring.score(wanted(studio, keys), lambda share: None).lines[1].scores["f1"]
    figure = score_figures.confusion_figure(line)
    numbers = [int(note.text) for note in figure.layout.annotations]
    assert numbers == [cell for row in line.confusion for cell in row]
    assert [sum(row) for row in figure.data[0].z] == pytest.approx([1.0, 1.0])


def test_numbers_of_the_confusion_are_in_their_cells_for_labels_that_are_numbers():
    found = evaluate_predictions("f1", ["1", "1", "2", "<i>2"], ["1", "2", "2", "2"], ["1", "2", "<i>2"])
    figure = score_figures.confusion_figure(found)
    cells = {(note.y, note.x): int(note.text) for note in figure.layout.annotations}
    assert cells == {
        (row, place): cell for row, cells in enumerate(found.confusion) for place, cell in enumerate(cells)
    }
    assert list(figure.data[0].x) == ["1", "2", "&lt;i&gt;2"]


def test_every_interval_is_drawn_under_its_name_with_a_line_at_the_reference(studio, keys):
    found = studio.scoring.score(wanted(studio, keys), lambda share: None)
    titles = [score_views.title(one) for one in found.wanted.combinations]
    figure = score_figures.intervals_figure(titles, found.lines)
    points, errors = figure.data[0], figure.data[0].error_x
    for place, line in enumerate(found.lines):
        score = line.scores["f1"]
        drawn = points.x[place] - errors.arrayminus[place], points.x[place], points.x[place] + errors.array[place]
        assert drawn == pytest.approx((100 * score.low, 100 * score.score, 100 * score.high))
    assert [note.text for note in figure.layout.annotations] == titles
    assert figure.layout.shapes[0].x0 == 100 * found.lines[1].scores["f1"].score


def test_what_a_file_says_cannot_become_markup(studio, keys, tmp_path):
    rows = [(f"the <i>day</i> is {word}", label) for word, label in (("bad", "positive"), ("good", "negative"))]
    name = studio.tables.add(tiny.write_csv(tmp_path / "marked.csv", ("text", "label"), rows))
    found = studio.scoring.score(wanted(studio, keys, name), lambda share: None)
    assert not any("<i>" in score_views.details(found, line.name) for line in found.lines)
    assert any("&lt;i&gt;" in score_views.details(found, line.name) for line in found.lines)


def test_an_upload_is_kept_and_chosen_or_its_columns_asked_for(studio, keys, tmp_path, monkeypatch):
    good = tiny.write_csv(tmp_path / "good.csv", ("text", "label"), ROWS)
    chosen, place, *_ = score_tab.receive(str(good), keys["Mood"])
    assert (chosen.value, place.visible) == ("good.csv", False)
    assert ("good.csv", "good.csv") in score_tab.renew("").choices
    assert score_tab.renew("gone.csv").value == ""
    other = tiny.write_csv(tmp_path / "other.csv", ("review", "stars"), ROWS)
    kept, place, _, text, *_, label, use, _, _, _ = score_tab.receive(str(other), keys["Mood"])
    assert (kept, place.visible, text.value, label.value, use.visible) == (gr.skip(), True, "review", "stars", True)
    refused = score_tab.receive(str(other), keys["Mood"], "", ("review", None, None, None))
    assert "column for each" in refused[-3]
    assert (refused[-2], refused[-1].visible) == ("", False)  # an earlier result does not stay below the refusal
    monkeypatch.setattr(score_tab, "wants_pairs", lambda *_: True)  # another task was chosen
    _, place, _, text, *pair, label, use, said, _, _ = score_tab.receive(
        str(other), "pairs", "", ("review", None, None, "stars")
    )
    assert "column for each" in said
    assert [one.visible for one in (text, *pair, label)] == [False, True, True, True]
    monkeypatch.undo()
    chosen = score_tab.receive(str(other), keys["Mood"], "", ("review", None, None, "stars"))[0]
    assert studio.tables.read(chosen.value).texts == [text for text, _ in ROWS]
    with pytest.raises(TableError):
        studio.tables.read("../jobs.sqlite")


def test_a_refusal_goes_when_another_file_is_chosen_and_scores_stay(studio, keys, tmp_path):
    good = str(tiny.write_csv(tmp_path / "better.csv", ("text", "label"), ROWS))
    other = str(tiny.write_csv(tmp_path / "unknown.csv", ("review", "stars"), ROWS))
    refused = begin(keys, "")[1]
    assert strings.NEEDS_TABLE_TO_SCORE in refused
    for file in (good, other, None):
        assert strings.NO_SCORES_YET in score_tab.receive(file, keys["Mood"], refused)[-3]
        assert score_tab.receive(file, keys["Mood"], "<h3>test.csv</h3>")[-3:] == (gr.skip(),) * 3
    assert strings.NO_SCORES_YET in score_tab.without_refusal(refused)  # a stored file is chosen
    assert score_tab.without_refusal("<h3>test.csv</h3>") == gr.skip()


def test_rows_that_are_not_read_to_their_end_are_counted(studio, keys, tmp_path):
    rows = [*ROWS, ("the food was good " * 300, "positive")]
    studio.tables.add(tiny.write_csv(tmp_path / "long.csv", ("text", "label"), rows))
    found = studio.scoring.score(wanted(studio, keys, "long.csv"), lambda share: None)
    assert found.cut == 1
    assert strings.TEXTS_CUT.format(count=1, most=found.max_length) in score_views.about(found)


def test_a_labelled_file_in_another_language_than_that_of_the_vectors_is_said(studio, keys, tmp_path):
    lines = (ASSETS / "samples" / "indonesian.txt").read_text(encoding="utf-8").splitlines()[:12]
    rows = [(line, ("positive", "negative")[place % 2]) for place, line in enumerate(lines)]
    name = studio.tables.add(tiny.write_csv(tmp_path / "indonesian.csv", ("text", "label"), rows))
    found = studio.scoring.score(wanted(studio, keys, name), lambda share: None)
    said = strings.FILE_OTHER_LANGUAGE.format(found="Indonesian", expected="Minangkabau")
    assert said in score_views.about(found)
    alone = studio.scoring.score(wanted(studio, keys, name, language=None), lambda share: None)
    assert alone.other is None
