"""Without these, the Corpus section would hide what is wrong with a text, or do something else than it shows."""

import json
from types import SimpleNamespace

import gradio as gr
import hub_server
import pytest
from office_files import xlsx
from tiny_base import write_corpus

from deftx.data.cleaning import CLEANINGS
from deftx.hub import splits as hub_splits
from deftx.hub import text as hub_text
from deftx.training.request import SettingsRefused, TrainingRequest
from ui import navigation, strings
from ui.corpus import audit_view, clean_form, corpus_tab, findings, hub_form, labelled_tab, labelled_upload
from ui.corpus.corpora import SAMPLE
from ui.train.train_fields import EMPTY


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return str(path)


SPANISH = (
    "La comisión aprobó ayer el informe sobre la situación de las escuelas en las zonas rurales del país número {}"
)


# What a text is


def test_a_text_shows_its_verdict_plot_table_and_the_lines_left_out(studio, tmp_path):
    name = studio.corpora.add(write(tmp_path, "a.txt", "the food is good\n<b>---</b>\n***\n" * 10))
    said, heading, plot, details = corpus_tab.show(name)
    assert strings.RESTS_ON in said
    assert strings.LOOK in said  # 20 lines are few
    assert strings.LENGTHS_TITLE in heading
    drawn = json.loads(plot)["data"][0]
    assert drawn["x"][0] == "1"
    assert strings.UNUSED_PLACE.format(file="a.txt", line="3") in details
    assert "<q>***</q>" in details
    assert "rows of symbols: 10." in details


def test_how_a_text_was_cleaned_is_said_in_the_language_of_the_page(studio, tmp_path, monkeypatch):
    name = studio.corpora.add(write(tmp_path, "a.txt", "the food is good\n" * 20))
    choice, cleaning = next(iter(CLEANINGS.items()))
    monkeypatch.setattr(studio.corpora, "note", lambda name: {"cleaned_from": "b.txt", "choices": [choice]})
    with strings.speaking("es"):
        said = corpus_tab.show_findings(name)
        assert strings.of_library(cleaning.title) in said
    assert cleaning.title not in said


def test_nothing_chosen_and_a_text_that_is_gone_leave_no_plot(studio):
    assert corpus_tab.show(None)[1:] == ("", "", "")
    said, *rest = corpus_tab.show("gone.txt")
    assert strings.NOT_READ in said
    assert rest == ["", "", ""]


def test_text_that_the_base_cannot_read_is_not_advised(studio, tmp_path):
    name = studio.corpora.add(write(tmp_path, "a.txt", "kata yang tidak dikenal\n" * 20))
    assert strings.NOT_ADVISED in corpus_tab.show_findings(name)


def test_a_second_language_is_said_and_one_language_is_fine(studio, tmp_path):
    lines = studio.corpora.read(SAMPLE).lines
    one = studio.corpora.add(write(tmp_path, "one.txt", "\n".join(lines)))
    two = studio.corpora.add(write(tmp_path, "two.txt", "\n".join([*lines, *map(SPANISH.format, range(60))])))
    assert "look like" not in corpus_tab.show_findings(one)
    said = corpus_tab.show_findings(two)
    assert "of the lines look like Spanish" in said or "of the lines look like Indonesian" in said
    assert "Indonesian (ind)" in said


def test_a_language_that_nobody_knows_is_no_fault():
    names = {"ind": "Indonesian"}
    assert audit_view._second_language({"unknown": 0.97, "ind": 0.03}, names) == ""
    assert "97%" in audit_view._main_language({"unknown": 0.97, "ind": 0.03}, names)
    assert audit_view._second_language({"unknown": 0.6, "ind": 0.4}, names) != ""
    assert audit_view._second_language({"ind": 0.6, "unknown": 0.4}, names) == ""


# Bringing texts


def test_several_files_are_one_text(studio, tmp_path):
    files = [write(tmp_path, "a.txt", "the food\n"), write(tmp_path, "b.txt", "the day\n")]
    choice, said, *_ = corpus_tab.receive(files)
    assert (choice.value, said) == ("a-and-1-more.txt", "")
    assert "a.txt, b.txt" in corpus_tab.show_findings(choice.value)


def test_how_several_files_were_read_is_shown_with_their_names(studio, tmp_path):
    (tmp_path / "a.txt").write_text("satu dua tiga\n")
    (tmp_path / "b.xlsx").write_bytes(xlsx({"S": [["text"], ["empat lima"]], "<T>": [["text"]]}, hidden=["<T>"]))
    corpus_tab.receive([str(tmp_path / "a.txt"), str(tmp_path / "b.xlsx")])
    (name,) = studio.corpora.names()
    assert "Made from a.txt, b.xlsx. b.xlsx: the hidden sheet &lt;T&gt; is left out." in findings.show_findings(name)
    shown = findings.show_findings(studio.corpora.clean(name, ["short"]))
    assert "Cleaned from" in shown
    assert "b.xlsx: the hidden sheet &lt;T&gt; is left out." in shown


def test_a_table_with_several_columns_is_asked_about_and_then_taken(studio, tmp_path):
    file = write(tmp_path, "t.csv", "title,body\nx,the food is good\n")
    choice, said, column, button, waiting = corpus_tab.receive([file])
    assert choice == gr.skip()
    assert "t.csv" in said
    assert [value for _, value in column.choices] == ["title", "body"]
    assert column.visible
    assert button.visible
    choice, said, column, button, left = corpus_tab.receive(waiting, "body")
    assert studio.corpora.read(choice.value).lines == ["the food is good"]
    assert (said, column.visible, button.visible, left) == ("", False, False, [])


def test_the_file_of_several_whose_column_is_unclear_is_asked_about(studio, tmp_path):
    files = [write(tmp_path, "a.txt", "the food\n"), write(tmp_path, "b.csv", "sentence,translation\nthe day,x\n")]
    _, said, column, _, waiting = corpus_tab.receive(files)
    assert "b.csv" in said
    assert (column.value, waiting) == ("sentence", files)
    choice, said, *_ = corpus_tab.receive(waiting, "sentence")
    assert (studio.corpora.read(choice.value).lines, said) == (["the food", "the day"], "")


def test_a_data_set_of_the_hub_becomes_a_text(studio, tmp_path, monkeypatch):
    files = [SimpleNamespace(path=path, size=2_000_000) for path in ("train.csv", "README.md")]
    monkeypatch.setattr(hub_text, "HfApi", lambda: SimpleNamespace(list_repo_tree=lambda *a, **k: iter(files)))
    monkeypatch.setattr(hub_text, "hf_hub_download", lambda *a, **k: write(tmp_path, "train.csv", "a,b\nx,the food\n"))
    monkeypatch.setattr(hub_splits, "find_splits", lambda *_: ())
    found, file, *_, said = hub_form.list_parts("owner/name")
    assert file.choices == [("train.csv (1.9 MB)", "train.csv")]
    assert "read: 1." in said
    name, column, said = hub_form.take(found, "train.csv", None)
    assert (name, column.visible) == (None, True)
    name, _, said = hub_form.take(found, "train.csv", "b")
    assert studio.corpora.read(name).lines == ["the food"]
    assert "owner/name/train.csv" in corpus_tab.show_findings(name)
    assert "Lines: 1." in said


@pytest.mark.slow
def test_a_split_of_the_hub_becomes_a_text(studio, hub_here, tmp_path, monkeypatch):
    hub_server.attach_datasets(monkeypatch, hub_here, tmp_path / "datasets")
    repository = hub_here.make(
        "datasets/ana/news", {"train.csv": b"title,body\n" + b"x,the food\n" * 40, "test.csv": b"text\nday\n"}
    )
    found, part, *_ = hub_form.list_parts("ana/news")
    assert [value for _, value in part.choices] == ["default/train", "default/test", "train.csv", "test.csv"]
    name, column, said = hub_form.take(found, "default/train", None)
    assert (name, column.value) == (None, "body")
    name, _, said = hub_form.take(found, "default/train", "body")
    assert studio.corpora.read(name).lines == ["the food"] * 40
    assert "Lines: 40." in said
    assert "ana/news/default/train" in corpus_tab.show_findings(name)
    old = repository.commits[-1][0]
    repository.add({"test.csv": b"text\nother\n"})
    for revision, text in ((f"@{old}", "day"), ("", "other")):
        found, *_ = hub_form.list_parts(f"ana/news{revision}")
        name, *_ = hub_form.take(found, "default/test", None)
        assert studio.corpora.read(name).lines == [text]


def test_a_split_of_the_hub_becomes_a_labelled_file(studio, hub_here, tmp_path, monkeypatch):
    hub_server.attach_datasets(monkeypatch, hub_here, tmp_path / "datasets")
    rows = b"the food is good,good\nthe food is bad,bad\n" * 10
    hub_here.make("datasets/ana/mood", {"train.csv": b"text,label\n" + rows, "test.csv": b"review,mood\n" + rows})
    found, *_ = hub_form.list_parts("ana/mood")
    train, valid, *_, said = labelled_tab.fetch(found, "default/train", "train")
    assert (train.value, said) == ("ana-mood-default-train.jsonl", "")
    assert studio.tables.read(train.value).labels[:2] == ["good", "bad"]
    train, valid, place, *_, waiting, said = labelled_tab.fetch(found, "default/test", "valid")
    assert (train, valid, place.visible, waiting[1]) == (gr.skip(), gr.skip(), True, "valid")
    chosen = {"text": "review", "label": "mood", "text_a": None, "text_b": None}
    _, valid, *_ = labelled_upload.map_columns(waiting, "single", chosen, labelled_tab.listed)
    assert len(studio.tables.read(valid.value)) == 20
    assert strings.HUB_NOT_FETCHED in labelled_tab.fetch(found, "default/none", "train")[-1]


@pytest.mark.parametrize("path", [None, "../x.txt"])
def test_what_the_hub_does_not_have_is_said_in_place(studio, path):
    assert strings.HUB_NOT_LISTED in hub_form.list_parts("no id at all")[-1]
    assert strings.HUB_NOT_FETCHED in hub_form.take((), path, None)[-1]


# Cleaning


def test_choices_show_their_effect_before_anything_is_done(studio, tmp_path):
    name = studio.corpora.add(write(tmp_path, "a.txt", "the food is good\nThe food is good\nday <i>one</i>\n"))
    choices, said = clean_form.show(name, ())
    assert [value for _, value in choices.choices] == list(CLEANINGS)
    labels = {value: text for text, value in choices.choices}
    assert labels["repeated"].endswith("Lines removed: 1.")
    assert labels["markup"].endswith("Lines changed: 1.")
    assert labels["script"].endswith("No lines affected.")
    assert "after cleaning: 3. Now: 3." in said
    assert "&lt;i&gt;one" in said
    assert "<i>" not in said
    choices, said = clean_form.show(name, ["repeated", "short"])
    assert "after cleaning: 1. Now: 3." in said
    assert set(choices.value) == {"repeated", "short"}
    assert studio.corpora.names() == [name]


def test_a_note_that_can_be_repaired_has_its_button_and_the_others_have_none(studio, tmp_path):
    name = studio.corpora.add(write(tmp_path, "a.txt", "the food is good\nThe food is good\nthe day is <b>bad</b>\n"))
    assert "data-pick" not in corpus_tab.show_findings(name)  # the effects of cleaning are not known yet
    shown = findings.show_repairs(name)
    assert shown.count("data-pick") == 1  # few lines cannot be repaired, and one tag is below what the audit notes
    note = shown[shown.index("repeat an earlier line") :]
    assert 'data-pick="repeated"' in note[: note.index("</li>")]
    assert "Lines removed: 1." in note
    cleaned, _ = clean_form.apply(name, ["repeated"])
    assert findings.show_repairs(cleaned) == findings.show_repairs(None) == gr.skip()


def test_without_a_text_the_way_to_train_asks_for_one_in_place(studio):
    said, *rest = navigation.to_train(None, "language", "", "")
    assert strings.CORPUS_NEEDS_TEXT in said
    assert rest == [gr.skip()] * (len(EMPTY) + 2)


@pytest.mark.parametrize(
    ("entered", "named"),
    [
        (("language", "", ""), {"name": "Indonesian", "code": "ind"}),
        (("language", "Mine", ""), {}),
        (("language", "", "xyz"), {}),
    ],
)
def test_the_way_to_train_names_the_language_of_the_text_but_replaces_nothing(studio, entered, named):
    said, *fields, tabs, tab = navigation.to_train(SAMPLE, *entered)
    assert (said, tabs.selected, tab) == ("", "train", "train")
    assert {name: value for name, value in zip(EMPTY, fields, strict=True) if value != gr.skip()} == named


def test_a_way_to_train_leaves_no_setting_of_an_earlier_task_behind(studio, tmp_path):
    table = studio.tables.add(write(tmp_path, "reviews.csv", "text,label\n" + ROWS))
    _, *fields, _, _ = navigation.to_train(SAMPLE, "task", "min, judged", "min")
    assert settings_of(fields) == {**EMPTY, "name": "Indonesian", "code": "ind"}
    _, *fields, _, _ = navigation.from_tables(table, "", None)
    assert settings_of(fields) == {**EMPTY, "kind": "task", "train": table, "name": "reviews", "code": "eng"}


def test_a_text_that_is_gone_is_cleared_in_the_lists_of_test(studio, tmp_path):
    name = studio.corpora.add(write(tmp_path, "a.txt", "one\ntwo\n"))
    table, *texts = navigation.renew_test("gone.csv", "gone.txt", name)
    updates = [one._constructor_args[0].get("value", gr.skip()) for one in (table, *texts)]
    assert updates == ["", None, gr.skip()]


def settings_of(updates):
    values = [update["value"] if isinstance(update, dict) else getattr(update, "value", update) for update in updates]
    return dict(zip(EMPTY, values, strict=True))


def test_a_cleaned_copy_is_chosen_and_says_where_it_comes_from(studio, tmp_path):
    name = studio.corpora.add(write(tmp_path, "a.txt", "the food is good\nThe food is good\n"))
    cleaned, said = clean_form.apply(name, ["repeated"])
    assert name in said
    shown = corpus_tab.show_findings(cleaned)
    assert strings.CLEANED_FROM.format(name=name, choices=CLEANINGS["repeated"].title) in shown
    assert clean_form.apply(name, []) == (None, clean_form.views.notice(strings.NOTHING_TO_CLEAN, kind="bad"))
    assert clean_form.apply(None, ["short"])[0] is None


def test_a_language_can_be_named(studio, tmp_path):
    name = studio.corpora.add(write_corpus(tmp_path / "a.txt"))
    assert "not a language code" in clean_form.remember(name, "Not A Code", "x")
    assert "27 known languages" in clean_form.remember(name, "xyz", "Words")
    assert "Words (xyz)" in corpus_tab.show_findings(name)


# Labelled files

ROWS = "the food is good,positive\nthe day is bad,negative\nthe house is <b>fine</b>,positive\n"


def lists(answer):
    return answer[:2]


def test_a_labelled_file_is_kept_chosen_and_counted(studio, tmp_path):
    train = lists(
        labelled_upload.receive(write(tmp_path, "t.csv", "text,label\n" + ROWS * 5), "train", labelled_tab.listed)
    )
    valid = lists(
        labelled_upload.receive(write(tmp_path, "v.csv", "text,label\n" + ROWS), "valid", labelled_tab.listed)
    )
    assert (train[0].value, valid[1].value) == ("t.csv", "v.csv")
    assert [value for _, value in train[1].choices] == ["", "t.csv"]
    said = labelled_tab.show("t.csv", "v.csv")
    assert "positive: 10" in said
    assert "negative: 1<" in said
    assert "3 rows whose text is also in t.csv" in said  # a leak
    assert strings.TABLE_READY_WITH_NOTES in said


def test_columns_that_are_not_recognised_are_asked_for_with_a_guess_and_the_first_rows(studio, tmp_path):
    file = write(tmp_path, "t.csv", "id,review,stars\n" + "".join(f"{n},<b>x</b> {n},{n % 2}\n" for n in range(9)))
    *_, place, asked, kind, text, premise, hypothesis, label, _, _, refused, waiting = labelled_upload.receive(
        file, "train", labelled_tab.listed
    )
    assert (place.visible, kind, text.value, label.value, refused) == (True, "single", "review", "stars", "")
    assert (text.visible, premise.visible, hypothesis.visible) == (True, False, False)
    assert "&lt;b&gt;x" in asked
    assert studio.tables.names() == []
    answer = labelled_upload.map_columns(
        waiting, "single", {"text": "review", "label": None, "premise": None}, labelled_tab.listed
    )
    assert strings.NEEDS_COLUMNS in answer[-2]
    assert answer[-1] == waiting
    twice = labelled_upload.map_columns(waiting, "single", {"text": "review", "label": "review"}, labelled_tab.listed)
    assert strings.COLUMNS_TWICE in twice[-2]
    answer = labelled_upload.map_columns(waiting, "single", {"text": "review", "label": "stars"}, labelled_tab.listed)
    assert answer[0].value == "t.csv"
    assert answer[2].visible is False
    assert studio.tables.columns("t.csv") == {"text": "review", "label": "stars"}
    assert "Text is “review”" in labelled_tab.show("t.csv", "")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("a.txt", "x\n", "plain text"), ("a.csv", "", "empty"), ("a.csv", "text,label\n,\n", "no usable row")],
)
def test_a_labelled_file_that_cannot_be_read_is_refused_with_the_reason(studio, tmp_path, name, content, reason):
    answer = labelled_upload.receive(write(tmp_path, name, content), "train", labelled_tab.listed)
    assert lists(answer) == (gr.skip(), gr.skip())
    assert reason in answer[-2]
    assert studio.tables.names() == []


def test_one_label_alone_is_refused_in_place_of_the_findings(studio, tmp_path):
    labelled_upload.receive(write(tmp_path, "t.csv", "text,label\na,x\nb,x\n"), "train", labelled_tab.listed)
    assert strings.TABLE_REFUSED in labelled_tab.show("t.csv", "")
    assert labelled_tab.show("", "") == labelled_tab.views.paragraph(strings.NO_TABLE_YET, "quiet")


def test_a_page_that_opens_lists_the_files_that_are_here(studio, tmp_path):
    studio.tables.add(write(tmp_path, "t.csv", "text,label\n" + ROWS))
    assert [[value for _, value in one.choices] for one in labelled_tab.refresh()] == [["", "t.csv"]] * 2


def test_a_validation_file_with_other_label_names_is_refused_before_anything_starts(studio, tmp_path):
    for name, labels in (("train.csv", ("good", "bad")), ("valid.csv", ("Baik", "Buruk"))):
        rows = "".join(f"text {n},{labels[n % 2]}\n" for n in range(40))
        (tmp_path / name).write_text(f"text,label\n{rows}", encoding="utf-8")
        studio.tables.add(tmp_path / name)
    shown = labelled_tab.show("train.csv", "valid.csv")
    assert strings.TABLE_REFUSED in shown
    assert "it has Baik, Buruk; known are bad, good" in shown
    assert "same names in both files" in shown
    request = TrainingRequest(kind="task", name="Mood", train="train.csv", valid="valid.csv")
    assert [one.field for one in studio.forecast.look(request).refusals] == ["train"]
    with pytest.raises(SettingsRefused, match="same names in both files"):
        studio.train(request)
    assert studio.store.list() == ()
