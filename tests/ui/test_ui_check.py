"""The check by hand on the page: what is drawn and shown, what a mark does, what is kept, and that nobody sees another's."""

import gradio as gr
import pytest
from tiny_base import finish_language_job, finish_task_job, write_corpus

from deftx.classify.self_check import COUNT, Check, Vector, begin, load
from deftx.core.errors import DeftxError
from ui import strings
from ui.classify import check_tab, check_views
from ui.library import vector_index

PARTS = ("area", "card", "result", "save")


@pytest.fixture
def keys(studio, page_base):
    return f"job:{finish_task_job(studio.store, page_base, '<b>Mood').id}"


@pytest.fixture
def text(studio, tmp_path):
    return studio.corpora.add(write_corpus(tmp_path / "text.txt"))


def check_of(answers, marks=()):
    begun = begin([f"a sentence number {n}" for n, _ in enumerate(answers)], answers, task=Vector("t", "a" * 64),
                  language=None, corpus="a.txt", seed=1, labels=sorted(set(answers)))  # fmt: skip
    for mark in marks:
        begun = begun.mark(mark)
    return begun


def named(answers):
    return dict(zip(PARTS, answers, strict=True))


def test_fifty_distinct_sentences_are_drawn_and_classified(studio, keys, text):
    content, said, *shown = check_tab.start_check(keys, "", text, 42)
    check = Check.from_dict(content)
    assert said == ""
    assert len(set(check.sentences)) == len(check.sentences) == COUNT
    assert set(check.sentences) <= set(studio.corpora.read(text).lines)
    assert list(check.answers) == studio.predict(check.sentences, keys)
    singly = studio.classify(check.sentences[7], keys).probabilities
    assert check.answers[7] == max(singly, key=singly.get)
    shown = named(shown)
    assert shown["area"].visible
    assert strings.CHECK_PLACE.format(number=1, count=COUNT) in shown["card"]
    assert check.sentences[0] in shown["card"]
    assert check.labels == ("negative", "positive")
    assert "&lt;b&gt;Mood" in shown["card"]
    assert (shown["result"], shown["save"].visible) == ("", False)


def test_two_people_with_the_same_vectors_have_checks_of_their_own(studio, keys, text):
    mine, theirs = (check_tab.start_check(keys, "", text, 42)[0] for _ in range(2))
    assert mine["sentences"] == theirs["sentences"]
    assert mine["id"] != theirs["id"]
    marked = check_tab.pick(mine, right(mine))[0]
    assert (len(marked["marks"]), len(theirs["marks"]), len(mine["marks"])) == (1, 0, 0)
    check_tab.save_check(marked)
    check_tab.save_check(check_tab.pick(theirs, wrong(theirs))[0])
    assert sorted(one["share"] for one in load(studio.store.root)) == [0.0, 1.0]


def test_a_new_draw_goes_on_with_the_check_under_way_or_saves_its_result(studio, keys, text):
    content = check_tab.start_check(keys, "", text, 42)[0]
    for _ in range(10):
        content = check_tab.pick(content, right(content))[0]
    again, said, _, card, *_ = check_tab.start_check(keys, "", text, 42, content)
    assert (again["id"], len(again["marks"]), said) == (content["id"], 10, "")
    assert strings.CHECK_PLACE.format(number=11, count=COUNT) in card
    assert load(studio.store.root) == []
    other, said, *_ = check_tab.start_check(keys, "", text, 43, content)
    assert (len(other["marks"]), other["seed"], "The result is saved" in said) == (0, 43, True)
    assert [one["judged"] for one in load(studio.store.root)] == [10]
    assert check_tab.start_check(keys, "", text, 42, other)[1] == ""  # without a judgement there is nothing to save


def test_a_new_draw_saves_no_fewer_judgements_than_another_tab_has_saved(studio, keys, text):
    early = check_tab.start_check(keys, "", text, 42)[0]
    early = check_tab.pick(early, right(early))[0]
    late = check_tab.pick(early, wrong(early))[0]
    check_tab.save_check(late)
    (saved,) = load(studio.store.root)
    assert check_tab.start_check(keys, "", text, 43, early)[1] == ""
    assert load(studio.store.root) == [saved]  # also with its day


def test_a_result_that_cannot_be_saved_is_not_lost_by_a_new_draw(studio, keys, text, monkeypatch):
    content = check_tab.start_check(keys, "", text, 42)[0]
    content = check_tab.pick(content, right(content))[0]

    def full(size):
        raise DeftxError("Your files take 501 MB.")

    monkeypatch.setattr(studio, "admit", full)
    monkeypatch.setattr(studio, "predict", lambda *_: pytest.fail("nothing needs to be classified"))
    said = check_tab.start_check(keys, "", text, 43, content)[1]
    assert "before would be lost, because it cannot be saved: Your files take 501 MB." in said
    check_tab.save(studio.store.root, check_tab.read(content))
    monkeypatch.undo()
    assert check_tab.start_check(keys, "", text, 43, content)[0]["seed"] == 43


def test_a_judgement_removes_what_was_said_of_the_state_before(studio, keys, text):
    content = check_tab.start_check(keys, "", text, 42)[0]
    event = gr.EventData(None, {"picked": right(content)})
    picked = check_tab._picked(content, event)
    assert len(picked[0]["marks"]) == 1
    assert picked[-1] == ""


def button_of(content, same):
    """The button of the label that is the next answer, or of one that is not."""
    answer = content["answers"][len(content["marks"])]
    return next(f"label:{number}" for number, label in enumerate(content["labels"]) if (label == answer) == same)


def right(content):
    return button_of(content, True)


def wrong(content):
    return button_of(content, False)


def test_the_answer_is_hidden_until_a_label_is_chosen_and_that_tells_whether_it_is_right(studio):
    content = check_of(["praise", "blame"]).to_dict()
    card = check_views.card(check_of(["praise", "blame"]))
    assert [card.count(label) for label in ("praise", "blame")] == [1, 1]  # the buttons alone
    content, _, card, *_ = check_tab.pick(content, right(content))
    assert content["marks"] == ("right",)
    assert "The classifier answered “praise” too." in card
    content, _, card, *_ = check_tab.pick(content, wrong(content))
    assert content["marks"] == ("right", "wrong")
    assert "The classifier answered “blame”." in card


def test_a_label_leads_on_and_undo_leads_back(studio):
    content = check_of("pn").to_dict()
    for name, place in (
        ("label:0", 1),
        ("undo", 0),
        ("unsure", 1),
        ("label:9", 1),
        ("right", 1),
        ("label:1", 2),
        ("label:0", 2),
    ):
        content, *shown = check_tab.pick(content, name)
        assert len(content["marks"]) == place
    shown = named(shown)
    assert strings.CHECK_DONE in shown["card"]
    assert "label:" not in shown["card"]
    assert shown["save"].variant == "primary"
    assert check_tab.pick(None, "label:0")[0] is None


def test_a_hasty_second_press_judges_the_same_sentence():
    """Both bring what was on the screen: the later one stands, and the next sentence is not judged unseen."""
    content = check_of("pn").to_dict()
    first, second = (check_tab.pick(content, name(content))[0] for name in (right, wrong))
    assert (first["marks"], second["marks"]) == (("right",), ("wrong",))


def test_a_reload_brings_the_check_back_and_nonsense_nothing(studio):
    restore = check_tab.restore
    part, _, *shown = restore(check_of("pn", ["right"]).to_dict())
    assert part.open
    assert "number 1" in named(shown)["card"]
    for nothing in (None, {}, "x", {"id": "../.."}):
        part, _, *shown = restore(nothing)
        assert part == gr.skip()
        assert not named(shown)["area"].visible


def test_the_result_says_the_interval_and_what_it_does_not_tell():
    shown = check_views.result(check_of("pppn", ["right", "right", "wrong", "unsure"]))
    assert "67%" in shown
    assert strings.CHECK_FROM_TO.format(low="21%", high="94%") in shown
    assert strings.CHECK_TELLS_NOT in shown
    assert '<tr><th scope="row">p</th><td>2</td><td>1</td><td>0</td></tr>' in shown
    assert check_views.result(check_of("p", ["unsure"])) == ""


def test_answers_that_are_nearly_all_the_same_are_pointed_out():
    one_sided = check_views.result(check_of("ppppppppppn", ["right"] * 11))
    assert strings.CHECK_ONE_SIDED.format(label="p", count=10, all=11) in one_sided
    balanced = check_views.result(check_of("pppppppnnnn", ["right"] * 11))
    assert "would score about the same" not in balanced


def test_the_result_is_kept_with_the_vectors_and_listed_for_them_alone(studio, page_base, keys, tmp_path):
    corpus = write_corpus(tmp_path / "text.txt")
    text = studio.corpora.add(corpus)
    language = f"job:{finish_language_job(studio.store, page_base, corpus).id}"
    content = check_tab.start_check(keys, language, text, 1)[0]
    assert strings.CHECK_NOT_KEPT in check_tab.save_check(content)  # nothing judged
    content = check_tab.pick(content, right(content))[0]
    content = check_tab.pick(content, wrong(content))[0]
    assert "Minangkabau" in check_tab.save_check(content)
    assert "50%" in check_tab.show_earlier(keys, language)
    assert check_tab.show_earlier(keys, "") == check_tab.show_earlier(None, "") == ""
    info = vector_index.find(studio.store, "language", language).folder
    fingerprint = check_tab.vectors_of(keys, language)[1].fingerprint
    assert load(studio.store.root, fingerprint)[0]["judged"] == 2
    assert [path.name for path in info.iterdir() if "check" in path.name] == []


def test_what_stands_in_the_way_is_said_and_a_check_under_way_stays(studio, keys, text, tmp_path):
    short = tmp_path / "short.txt"
    short.write_text("good\nbad\n", encoding="utf-8")
    for task, corpus, reason in (
        (None, text, strings.NO_TASK), (keys, None, strings.CHECK_NEEDS_TEXT), (keys, "../jobs.sqlite", "not known"),
        ("job:none", text, "not known"), (keys, studio.corpora.add(short), "12 to 280 characters"),
    ):  # fmt: skip
        content, said, *shown = check_tab.start_check(task, "", corpus, 42)
        assert reason.split(",")[0] in said.replace("&#x27;", "'")
        assert [content, *shown] == [gr.skip()] * (1 + len(PARTS))
