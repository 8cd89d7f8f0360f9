"""The guided path: what its steps say and store, and what the browser may send back."""

from dataclasses import fields

import gradio as gr
import pytest
from tiny_base import finish_language_job, finish_pair_job, finish_task_job, write_corpus

from deftx.classify.calibrating import keep_calibration
from deftx.core.calibration import Calibration, Curve
from deftx.publish.score_words import validation_in_words
from ui import strings
from ui.classify import compose_views
from ui.classify.combination import Combination
from ui.guide import choices_panel, guide, language_step, task_step, text_step, train_step, try_step
from ui.guide.plan import Plan, checked
from ui.library import vector_index

BALINESE = ["Ajengane jaen pisan.", "Titiang seneng ring genah puniki.", "Ajengane jaen pisan."]


@pytest.mark.parametrize(
    "kept", [None, "", [], {"step": 9}, {"step": "2", "name": 7, "unknown": 1}, {"text": None}, {"guessed": 1}]
)
def test_what_a_browser_cannot_have_stored_is_read_as_nothing(kept):
    assert Plan.read(kept) == Plan()


def test_a_plan_comes_back_from_the_browser_as_it_was():
    plan = Plan(step=4, name="Balinese", code="ban", text="a.txt", task="bundled:sentiment", preset="standard")
    assert Plan.read(plan.kept()) == plan


def test_a_plan_loses_what_no_longer_exists(studio):
    plan = Plan(**{one.name: "gone" for one in fields(Plan) if one.name not in ("step", "preset")})
    assert checked(plan.kept()) == Plan(name="gone", code="gone", task_name="gone")


@pytest.mark.parametrize(
    ("typed", "code"), [("Bahasa Bali", "ban"), ("balinés", "ban"), ("BAN", "ban"), ("id", "ind"), ("Lengua X", "")]
)
def test_a_language_is_known_by_its_name_in_any_language_and_by_its_code(typed, code):
    assert language_step.named(Plan(vector="bundled:min"), typed) == Plan(name=typed, code=code)


def test_a_ready_language_is_offered_by_name_and_an_unknown_one_is_said(studio, page_base):
    finish_language_job(studio.store, page_base, write_corpus(studio.store.root / "text.txt"), name="Baso")
    assert [label for label, _ in language_step.choices()] == ["Baso (min, trained here)"]
    assert "Minangkabau (min) is ready" in language_step.say("Minangkabau")
    assert "the next step asks for a text" in language_step.say("Balinese")
    assert "No known language is called “Qwx”" in language_step.say("Qwx")
    assert language_step.say(" ") == ""


def test_a_text_in_a_ready_language_can_be_tried_without_training(studio, page_base):
    text = write_corpus(studio.store.root / "text.txt")
    finish_language_job(studio.store, page_base, text, name="Baso")
    plan, _ = text_step.pasted(Plan(name="Minangkabau", code="min"), "\n".join(BALINESE))
    assert text_step.offer(plan).visible
    assert "Minangkabau (min)" in text_step.offer(plan).value
    chosen = text_step.with_ready(plan)
    assert (chosen.vector, chosen.text) == (language_step.choices()[0][1], plan.text)
    for other in (
        plan.changed(code="ban"),
        plan.changed(code=""),
        plan.changed(text=""),
        plan.changed(language_job="j"),
    ):
        assert not text_step.offer(other).visible
    assert text_step.with_ready(plan.changed(code="ban")) == plan.changed(code="ban")


@pytest.mark.parametrize(
    ("mix", "code"),
    [
        ({"ban": 0.44, "unknown": 0.43, "jav": 0.13}, "ban"),  # short lines are often unknown, and say nothing
        ({"unknown": 0.7, "ban": 0.3}, ""),
        ({"ban": 0.5, "jav": 0.4, "unknown": 0.1}, ""),
        ({"unknown": 1.0}, ""),
        ({}, ""),
    ],
)
def test_a_text_is_in_a_language_that_prevails_among_the_lines_whose_language_is_known(mix, code, studio, monkeypatch):
    monkeypatch.setattr(studio.facts, "mix", lambda text: mix)
    plan, said = text_step.pasted(Plan(), "\n".join(BALINESE))
    assert plan.code == code
    assert ("looks like Balinese" in said) is bool(code)


def test_a_pasted_text_is_stored_shown_and_repaired(studio):
    plan, said = text_step.pasted(Plan(name="Balinese", code="ban"), "\n\n".join(BALINESE))
    assert studio.corpora.path(plan.text).read_text(encoding="utf-8").splitlines() == BALINESE
    assert "3 lines, 11 words" in said
    assert said.count("Ajengane jaen pisan.") == 2
    assert 'data-pick="repeated"' in said
    repaired, said = text_step.fixed(plan, "repeated")
    assert studio.corpora.path(repaired.text).read_text(encoding="utf-8").splitlines() == BALINESE[:2]
    assert "2 lines" in said
    assert 'data-pick="repeated"' not in said
    assert studio.corpora.path(plan.text).is_file()  # the original stays


def test_a_text_that_is_pasted_twice_is_stored_once(studio):
    first, _ = text_step.pasted(Plan(name="Balinese", code="ban"), "\n".join(BALINESE))
    again, said = text_step.pasted(Plan(name="Balinese", code="ban"), "\n".join(BALINESE))
    assert (again, studio.corpora.names()) == (first, [first.text])
    assert "3 lines, 11 words" in said
    other, _ = text_step.pasted(first, "\n".join(BALINESE[::2]))
    assert len(studio.corpora.names()) == 2
    assert other.text != first.text


def test_a_little_text_is_said_and_shown_once_before_the_path_goes_on(studio):
    plan, said = text_step.pasted(Plan(name="Balinese", code="ban"), "\n".join(BALINESE))
    assert strings.GUIDE_LITTLE_TEXT in said
    assert text_step.is_little(plan)
    enough, said = text_step.pasted(plan, "\n".join(f"Ajengane jaen pisan kaping {n}." for n in range(1_000)))
    assert "very little text" not in said
    assert not text_step.is_little(enough)


def test_a_text_that_cannot_be_read_does_not_pass_for_enough(studio):
    assert text_step.is_little(Plan(text="gone.txt"))


def test_the_column_of_a_table_after_a_plain_text_is_found(studio, tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(BALINESE))
    (tmp_path / "b.csv").write_text("id,sentence\n1,Titiang seneng ring genah punika.\n")
    plan, _ = text_step.uploaded(Plan(), [str(tmp_path / "a.txt"), str(tmp_path / "b.csv")])
    assert "Titiang seneng ring genah punika." in studio.corpora.read(plan.text).lines


def test_an_empty_paste_and_an_unknown_repair_change_nothing(studio):
    plan, said = text_step.pasted(Plan(), " \n ")
    assert plan == Plan()
    assert "no text in the field" in said
    plan, _ = text_step.pasted(Plan(), "\n".join(BALINESE))
    assert text_step.fixed(plan, "no-such-step")[0] == plan


def test_each_of_several_files_is_read_in_its_own_likely_encoding(studio, tmp_path):
    texts = {
        "cp1252": "Le café était très bon, où êtes-vous allés ?",
        "cp1251": "Съешь же ещё этих мягких французских булок",
    }
    for encoding, text in texts.items():
        (tmp_path / f"{encoding}.txt").write_bytes(f"{text}\n".encode(encoding) * 20)
    plan, said = text_step.uploaded(Plan(), [str(tmp_path / f"{encoding}.txt") for encoding in texts])
    assert set(studio.corpora.read(plan.text).lines) == set(texts.values())
    assert "cp1252.txt" in said
    assert "cp1251.txt" in said


def test_a_short_file_is_read_in_the_encoding_of_an_earlier_one_if_that_fits(studio, tmp_path):
    texts = {"a": "今天天气很好，我们去公园玩。", "b": "谢谢你们"}
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_bytes(f"{text}\n".encode("gb18030"))
    plan, _ = text_step.uploaded(Plan(), [str(tmp_path / f"{name}.txt") for name in texts])
    assert studio.corpora.read(plan.text).lines == list(texts.values())


def test_a_file_in_another_encoding_is_read_and_said(studio, tmp_path):
    file = tmp_path / "café.txt"
    file.write_bytes(("Le café était très bon, où êtes-vous allés ?\n" * 20).encode("cp1252"))
    plan, said = text_step.uploaded(Plan(), [str(file)])
    assert "était" in studio.corpora.path(plan.text).read_text(encoding="utf-8")
    assert "café.txt was read as" in said


def test_a_file_that_cannot_be_read_keeps_the_plan(studio, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\x00\x01\x02" * 100)
    plan, said = text_step.uploaded(Plan(), [str(tmp_path / "a.txt")])
    assert plan == Plan()
    assert 'role="alert"' in said


def test_a_text_without_a_name_is_named_after_its_language_and_another_language_is_said(studio):
    plan, _ = text_step.sampled(Plan())
    assert (plan.name, plan.code) == ("Indonesian", "ind")
    _, said = text_step.sampled(Plan(name="Balinese", code="ban"))
    assert "looks like Indonesian (ind)" in said
    assert "not like Balinese (ban)" in said


def test_a_guessed_name_is_that_of_the_present_text_and_a_typed_one_stays(studio):
    guessed, _ = text_step.sampled(Plan())
    assert Plan.read(guessed.kept()) == guessed
    other, _ = text_step.pasted(guessed, "\n".join(["xq zv", "wqx", "zzk"]))
    assert (other.name, other.code, other.guessed) == ("", "", False)
    assert "ind" not in other.text
    again, _ = text_step.sampled(other)
    assert (again.name, again.code) == ("Indonesian", "ind")
    typed = language_step.named(guessed, "Toba Batak")
    assert text_step.sampled(typed)[0].name == "Toba Batak"


def test_a_text_cannot_bring_markup_into_the_page(studio):
    _, said = text_step.pasted(Plan(), "<img src=x onerror=alert(1)>\n" + "\n".join(BALINESE))
    assert "<img" not in said


def test_a_labelled_file_of_ones_own_becomes_a_task(studio, tmp_path):
    (tmp_path / "mood.csv").write_text("text,label\nenak sekali,good\ntidak enak,bad\n" * 10, encoding="utf-8")
    table = studio.tables.add(tmp_path / "mood.csv")
    assert "20 sentences with these labels: bad (10), good (10)" in task_step.show(table)
    plan = task_step.chosen(Plan(task="bundled:sentiment"), task_step.OWN, table, "")
    assert (plan.task, plan.table, plan.task_name) == ("", "mood.csv", "mood")
    assert [request.kind for request in plan.requests()] == ["task"]
    assert task_step.chosen(plan, "bundled:sentiment", table, "") == Plan(task="bundled:sentiment")


def test_pairs_of_sentences_are_no_task_of_the_path(studio, page_base):
    pairs, single = finish_pair_job(studio.store, page_base), finish_task_job(studio.store, page_base)
    offered = [key for _, key in task_step.choices()]
    assert f"job:{single.id}" in offered
    assert f"job:{pairs.id}" not in offered
    assert checked({"task": f"job:{pairs.id}"}).task == ""
    table = studio.tables.add(studio.store.root / "pairs.csv")
    said = task_step.refusal(table)
    assert strings.GUIDE_TABLE_PAIRS in said
    assert task_step.show(table) == said
    assert strings.GUIDE_NEEDS_TABLE in task_step.refusal(None)


def test_training_starts_both_runs_and_a_second_start_adds_none(studio, tmp_path):
    rows = "".join(f"enak {n},good\ntidak {n},bad\n" for n in range(40))
    (tmp_path / "mood.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    text = studio.corpora.add(write_corpus(tmp_path / "text.txt"))
    plan = Plan(name="Bugis", code="bug", text=text, table=studio.tables.add(tmp_path / "mood.csv"), task_name="Mood")
    outlook = train_step.outlook(plan)
    assert outlook.index("Learn the language Bugis from text.txt") < outlook.index("Learn the task Mood from mood.csv")
    started, said = train_step.start(plan)
    assert said == ""
    jobs = {job.id: job for job in studio.store.list()}
    assert [jobs[id_].name for id_ in started.jobs()] == ["Bugis", "Mood"]
    assert train_step.working(started)
    assert train_step.start(started)[0] == started
    assert len(studio.store.list()) == 2
    assert "Bugis" in train_step.progress(started)


def test_training_without_a_name_is_refused_with_the_reason(studio, tmp_path):
    text = studio.corpora.add(write_corpus(tmp_path / "text.txt"))
    plan, said = train_step.start(Plan(text=text))
    assert plan == Plan(text=text)
    assert "name" in said
    assert studio.store.list() == ()


def test_a_finished_pair_of_vectors_classifies_a_sentence_and_shows_its_worth(studio, page_base):
    task = finish_task_job(studio.store, page_base)
    language = finish_language_job(studio.store, page_base, write_corpus(studio.store.root / "text.txt"))
    plan = Plan(step=5, language_job=language.id, task_job=task.id)
    assert (plan.task_key(), plan.language_key()) == (f"job:{task.id}", f"job:{language.id}")
    shown = try_step.answer(plan, "enak sekali")
    assert "<blockquote>enak sekali</blockquote>" in shown
    changed = compose_views.change_sentence(
        studio.composing.compare(Combination.of(plan.task_key(), [(plan.language_key(), 1.0)]), "enak sekali")
    )
    assert changed in shown  # what the language vector does to this sentence
    assert f"Task: {task.name}" in try_step.made_of(plan)
    worth = train_step.progress(plan)
    assert all(said in worth for said in validation_in_words(vector_index.describe(task.out)))


def test_it_is_estimated_from_the_text_how_many_answers_are_right(studio, page_base):
    task = finish_task_job(studio.store, page_base)
    language = finish_language_job(studio.store, page_base, write_corpus(studio.store.root / "text.txt"))
    lines = [f"Titiang seneng ring genah puniki {number}." for number in range(20)]
    refused = strings.NOT_ESTIMATED.format(least=20)
    plan, _ = text_step.pasted(Plan(step=5, language_job=language.id, task_job=task.id), "\n".join([*lines, lines[0]]))
    assert refused in try_step.estimate(plan)  # its few validation rows gave no calibration
    curve = Curve((1.0,), (0.0,), (1.0,))
    for threshold, right in ((0.0, 100), (1.0, 0)):
        keep_calibration(task.out, Calibration(1.0, 100, 1.0, (0.0, 0.0), (1.0, 1.0), threshold, curve))
        said = try_step.estimate(plan)
        assert f"About {right} of 100 answers are right" in said
        assert strings.GUIDE_ESTIMATED_FROM.format(count=20) in said
    repeated, _ = text_step.pasted(plan.changed(text=""), "\n".join(lines[:19] * 2))
    assert refused in try_step.estimate(repeated)
    assert 'role="alert"' in try_step.estimate(plan.changed(task_job="gone"))


@pytest.mark.parametrize(
    ("lines", "first", "last"), [(2, "number 0.", "number 1."), (64, "number 0.", "number 63."), (100, "number 0.", "number 98."), (640, "number 0.", "number 630.")]
)  # fmt: skip
def test_lines_are_picked_from_the_whole_text(studio, lines, first, last):
    pasted = "\n".join(f"Titiang seneng ring genah number {number}." for number in range(lines))
    picked = try_step._spread(text_step.pasted(Plan(), pasted)[0].text, 64)
    assert len(set(picked)) == min(64, lines)
    assert picked[0].endswith(first)
    assert picked[-1].endswith(last)


def test_a_sentence_without_a_task_is_refused_in_words(studio):
    assert 'role="alert"' in try_step.answer(Plan(), "enak")
    assert 'role="alert"' in try_step.made_of(Plan())


def test_what_is_shown_fits_its_components(studio):
    with gr.Blocks():
        built = guide.build(gr.BrowserState(None))
    for step in range(1, 6):
        for everything in (False, True):
            assert len(guide.show(Plan(step=step), everything)) == len(built.shown())


def test_a_reload_brings_back_every_field_of_the_steps_before(studio, tmp_path):
    rows = "".join(f"enak {n},good\ntidak {n},bad\n" for n in range(40))
    (tmp_path / "mood.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    table = studio.tables.add(tmp_path / "mood.csv")
    plan = Plan(step=4, name="Bugis", code="bug", table=table, task_name="Mood", preset="standard")
    with gr.Blocks():
        built = guide.build(gr.BrowserState(None))
    shown = dict(zip(built.shown(), guide.restore(plan.kept()), strict=True))
    assert shown[built.language.name] == "Bugis"
    assert (shown[built.task.task].value, shown[built.task.table].value) == (task_step.OWN, "mood.csv")
    assert (shown[built.task.name], shown[built.train.preset]) == ("Mood", "standard")
    assert shown[built.path].selected == 4


def test_a_tick_shows_the_progress_and_leaves_the_step_alone(studio, tmp_path):
    plan = Plan(name="Bugis", text=studio.corpora.add(write_corpus(tmp_path / "text.txt")), step=4)
    started, _ = train_step.start(plan)
    with gr.Blocks():
        built = guide.build(gr.BrowserState(None))
    shown = dict(zip(built.progress(), guide.show_progress(started), strict=True))
    assert built.path not in shown
    assert "Bugis" in shown[built.train.progress]
    assert (shown[built.train.start].interactive, shown[built.train.go].visible) == (False, False)
    assert shown[built.train.timer].active


def test_without_a_ready_task_a_ready_language_says_that_a_task_is_missing(studio, monkeypatch):
    monkeypatch.setattr(task_step, "choices", lambda: [("own", task_step.OWN)])
    assert task_step.best() == ""
    assert 'role="alert"' in try_step.made_of(Plan(vector="bundled:min", task=task_step.best()))


@pytest.mark.slow
def test_a_text_is_looked_at_before_any_training_when_a_person_asks(studio, page_base, monkeypatch):
    monkeypatch.setattr(choices_panel, "cached_bases", tuple)
    assert 'role="alert"' in choices_panel.look(Plan())
    text = write_corpus(studio.store.root / "text.txt")
    plan, _ = text_step.pasted(Plan(), text.read_text(encoding="utf-8"))
    shown = choices_panel.look(plan)
    assert f"Best on this machine: {page_base.name}" in shown
    assert str(page_base) not in shown  # another person need not know the paths of the host
    assert "FacebookAI/xlm-roberta-base" in shown
    assert "was not measured" in shown
    assert "By hidden states" not in shown  # they are known for the bundled base alone
    monkeypatch.setattr("deftx.analysis.choices.similarities", lambda base, lines: {"jav": 0.7, "min": -0.1})
    assert "By hidden states, the nearest are Javanese (jav), Minangkabau (min)." in choices_panel.look(plan)
    with strings.speaking("es"):
        assert "El mejor en este equipo" in choices_panel.look(plan)


def test_a_text_without_letters_is_refused_where_it_is_looked_at(studio, monkeypatch):
    monkeypatch.setattr(choices_panel, "cached_bases", tuple)
    name = studio.corpora.add_lines("numbers", ["12 34", "5 6"])
    assert "no letters" in choices_panel.look(Plan(text=name))
