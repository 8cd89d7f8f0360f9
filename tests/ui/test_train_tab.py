"""The training form as plain functions: what is asked for, what it takes, what is refused, and that nothing typed is lost."""

import json
from html import unescape

import gradio as gr
import pytest
from tiny import make_base, sentences, write_csv
from tiny_base import finish_language_job, finish_task_job, write_corpus

from deftx.core.errors import BaseModelError
from deftx.core.events import Event
from deftx.core.files import write_json
from deftx.jobs import state_of
from deftx.jobs.job import EVENTS, RESULT
from deftx.jobs.pace import expected_seconds
from deftx.training.recipes import LanguageRecipe, TaskRecipe
from deftx.training.request import Refusal, SettingsRefused, TrainingRequest
from ui import strings
from ui.corpus import labelled_upload
from ui.corpus.corpora import SAMPLE
from ui.page import build_page
from ui.train import (
    requests,
    train_choices,
    train_fields,
    train_form,
    train_names,
    train_preview,
    train_settings,
    train_tab,
    valid_labels,
)
from ui.train.train_fields import ADVANCED, EMPTY

FORM = {**EMPTY, "name": "Minangkabau", "code": "min"}
TASK = {**EMPTY, "kind": "task", "name": "Mood", "code": "ind"}


def test_the_settings_of_the_method_are_folded(studio):
    blocks = build_page(studio).blocks.values()
    folded = [block for block in blocks if getattr(block, "elem_id", None) == "method-settings"]
    assert folded
    assert not any(block.open for block in folded)
    inside = {field.elem_id for block in folded for field in _fields(block)}
    assert {"method", "rank", "variance-share", "uniform-rank"} <= inside


def _fields(block):
    return [one for child in getattr(block, "children", []) for one in (child, *_fields(child))]


@pytest.fixture
def table(studio, tmp_path):
    path = tmp_path / "Reviews (new).csv"
    rows = [f"the {noun} is {word},{label}" for noun in ("day", "food", "house", "road", "river", "song")
            for word, label in (("good", "pos"), ("bad", "neg"))]  # fmt: skip
    path.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    return studio.tables.add(path)


def start(studio, values, corpus=SAMPLE):
    job_id, said = train_tab.start_training(corpus, values)
    return (studio.store.get(job_id) if job_id else None), said.replace("&#x27;", "'")


def values_in(updates):
    """The values that fields have after these updates of an empty form."""
    given = {n: u if isinstance(u, dict) else u._constructor_args[0] for n, u in updates.items()}
    return {name: update.get("value", EMPTY[name]) for name, update in given.items()}


# What is asked for


def test_starting_puts_a_job_into_the_queue_with_what_was_chosen(studio, tmp_path):
    name = studio.corpora.add(write_corpus(tmp_path / "My corpus.txt"))
    typed = {"rank": "uniform", "uniform": 8, "learning_rate": "1e-3", "max_steps": "5", "k": "2,5 %", "keep": "0.1"}
    job, said = start(studio, {**FORM, **typed}, name)
    assert strings.STARTED.format(name="Minangkabau") in said
    assert (job.kind, job.name, state_of(job).name) == ("language", "Minangkabau", "waiting")
    assert job.settings["corpus"] == str(studio.corpora.folder / name)
    assert job.settings["recipe"] == {
        "rank": "uniform:8",
        "learning_rate": 1e-3,
        "max_steps": 5,
        "k": 0.025,
        "keep": 0.1,
    }
    low, high = expected_seconds(job)
    assert 0 < low < high


def test_a_task_is_trained_on_labelled_text_from_a_source_vector(studio, page_base, table, tmp_path):
    source = finish_language_job(studio.store, page_base, write_corpus(tmp_path / "text.txt"))
    chosen = {
        "train": table,
        "valid": table,
        "source": f"job:{source.id}",
        "metric": "accuracy",
        "group_by_length": "true",
    }
    job, _ = start(studio, {**TASK, **chosen}, None)
    assert (job.kind, job.settings["language"]) == ("task", "ind")
    assert job.settings["train"] == job.settings["valid"] == str(studio.tables.folder / table)
    assert job.settings["source"] == str(source.out)
    assert job.settings["recipe"] == {"metric": "accuracy", "group_by_length": True}
    again = requests.named(studio, job)
    assert train_fields.from_form(train_fields.to_form(again), None) == again


def test_a_base_is_trimmed_to_the_text(studio):
    plain, trimmed = (
        studio.forecast.look(train_fields.from_form({**FORM, "trim": trim}, SAMPLE)) for trim in ("", "true")
    )
    assert trimmed.found.memory < plain.found.memory
    assert trimmed.base.model.words < plain.base.model.words
    assert any("The vector fits the whole base" in note for note in trimmed.notes)
    assert not any("trimmed" in note for note in plain.notes)
    job, _ = start(studio, {**FORM, "trim": "true"})
    assert job.settings["recipe"]["trim"] is True


def test_notes_on_little_text_are_in_the_language_of_the_page(studio):
    few = studio.corpora.add_lines("few", ["makan nasi", "minum air"])
    request = train_fields.from_form(FORM, few)
    assert "very little text to learn from (2 lines)" in studio.forecast.look(request).notes[0]
    with strings.speaking("es"):
        assert studio.forecast.look(request).notes[0].startswith("Hay muy poco texto para aprender (líneas: 2)")


def test_other_labels_of_a_validation_file_are_matched_before_the_start(studio, table, tmp_path):
    rows = [("the day, it is good", "Positif"), ('the "food" is bad', "Negatif"), ("the road is long", "Netral")]
    other = studio.tables.add(write_csv(tmp_path / "valid.csv", ("text", "label"), rows * 3))
    job, said = start(studio, {**TASK, "train": table, "valid": other}, None)
    assert job is None
    assert "No row of" in said
    place, asked, *fields = valid_labels.ask("task", table, other)
    labels = fields[-1]
    assert place.visible
    assert all(name in asked for name in (table, other, "neg, pos"))
    assert labels == ["Negatif", "Netral", "Positif"]
    assert [field.label for field in fields[:4] if field.visible] == [
        "“Negatif” means",
        "“Netral” means",
        "“Positif” means",
    ]
    chosen, _ = valid_labels.use(other, table, "", labels, "neg", None, "pos", *[None] * 5)
    matched = studio.tables.read(chosen.value)
    assert list(zip(matched.texts, matched.labels, strict=True)) == [(rows[0][0], "pos"), (rows[1][0], "neg")] * 3
    assert studio.tables.read(other).labels == [label for _, label in rows] * 3  # the original stays
    assert not valid_labels.ask("task", table, chosen.value)[0].visible
    job, _ = start(studio, {**TASK, "train": table, "valid": chosen.value}, None)
    assert job.settings["valid"] == str(studio.tables.path(chosen.value))


def test_labels_are_only_asked_about_where_they_differ(studio, table, tmp_path):
    same = studio.tables.add(
        write_csv(tmp_path / "same.csv", ("text", "label"), [("a day", "POS"), ("a night", "neg")])
    )
    many = [(f"day {n}", f"label {n}") for n in range(9)]
    several = studio.tables.add(write_csv(tmp_path / "many.csv", ("text", "label"), many))
    for asked in (
        ("task", table, same), ("task", table, several), ("task", table, ""), ("task", None, same),
        ("task", table, "gone.csv"), ("language", several, table),
    ):  # fmt: skip
        assert not valid_labels.ask(*asked)[0].visible
    kept, said = valid_labels.use(same, table, "", ["neg", "pos"], None, None)
    assert kept == gr.skip()
    assert strings.NOT_READ in said


def test_labels_of_the_vector_that_is_trained_further_are_not_asked_about(studio, page_base, tmp_path):
    rows = [("the day, it is good", "positive"), ("the food is bad", "negative")]
    few = studio.tables.add(write_csv(tmp_path / "few.csv", ("text", "label"), rows[:1] * 3))
    both = studio.tables.add(write_csv(tmp_path / "both.csv", ("text", "label"), rows * 3))
    key = f"job:{finish_task_job(studio.store, page_base).id}"
    assert valid_labels.ask("task", few, both)[0].visible
    assert valid_labels.ask("task", few, both, "job:gone")[0].visible
    assert not valid_labels.ask("task", few, both, key)[0].visible


def test_pairs_keep_their_two_texts_when_their_labels_are_matched(studio, tmp_path):
    rows = [("a day", "a night", "ya"), ("a road", "a river", "tidak")]
    name = studio.tables.add(write_csv(tmp_path / "pairs.jsonl.csv", ("premise", "hypothesis", "label"), rows))
    matched = studio.tables.read(studio.tables.add_renamed(studio.tables.read(name), {"ya": "yes", "tidak": "no"}))
    assert (matched.texts, matched.labels) == ([row[:2] for row in rows], ["yes", "no"])


def test_a_training_takes_several_gpus_where_there_are_several(studio):
    studio.gpus = 4  # the form asks for no more than the number
    job, _ = start(studio, {**FORM, "processes": 2})
    assert job.settings["processes"] == 2
    assert train_fields.to_form(requests.named(studio, job))["processes"] == 2
    looked = studio.forecast.look(train_fields.from_form({**FORM, "processes": 2}, SAMPLE))
    assert looked.recipe.accumulation == 2  # what each holds in memory is its part of the batch
    assert strings.OUTLOOK_NOTES["gpus"].format(count=2) in looked.notes
    command = train_preview.preview(SAMPLE, {**FORM, "processes": 2})[1]
    assert command.startswith("accelerate launch --multi_gpu --num_processes 2 -m deftx language")
    assert "--device" not in command
    assert "processes" not in start(studio, {**FORM, "processes": 1})[0].settings


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [({"processes": 5}, "processes", "5 GPUs are requested, but this machine has 4. Choose fewer."),
     ({"processes": -1}, "processes", "-1 is not a number of GPUs"), ({"processes": 1.5}, "processes", "1.5 is not a number"),
     ({"processes": 3}, "batch_size", "cannot be split into 3 equal parts for 3 processes. Choose a multiple of 3.")],
)  # fmt: skip
def test_gpus_that_are_not_there_or_a_batch_that_does_not_divide_is_refused_before_it_starts(
    studio, typed, field, words
):
    studio.gpus = 4
    job, said = start(studio, {**FORM, **typed})
    assert job is None
    assert words in said
    assert train_fields.label(field) in said


def test_a_number_of_gpus_is_asked_for_only_where_there_are_several(studio):
    for gpus, kept in ((0, 1), (1, 1), (2, 2)):
        studio.gpus = gpus
        with gr.Blocks():
            field = train_form.build().fields["processes"]
        assert (field.visible, field.maximum) == (gpus > 1, max(1, gpus))
        updates = dict(zip(EMPTY, train_form.filled({"processes": 8}), strict=True))
        assert updates["processes"]["value"] == kept  # kept by a browser that was at a larger machine


@pytest.mark.parametrize("method", ["lt-sft", "random"])
def test_other_methods_are_one_switch_away_and_take_no_rank(studio, method):
    job, _ = start(studio, {**FORM, "method": method, "rank": "mp", "ablate": "no-residual", "keep": "0.2"})
    assert job.settings["recipe"] == {"method": method}


def test_few_steps_with_the_papers_preset_are_few_steps():
    recipe = train_fields.recipe_of({**FORM, "preset": "paper", "max_steps": "10"})
    assert (recipe["min_steps"], recipe["max_steps"]) == (10, 10)


@pytest.mark.parametrize(
    ("text", "k"),
    [("5 %", 0.05), ("2,764%", 0.02764), ("0.05", 0.05), ("0,05", 0.05), ("200000", 200_000), ("200,000", 200_000),
     ("1,234,567", 1_234_567), ("0,125", 0.125), ("0.125", 0.125)],
)  # fmt: skip
def test_k_is_a_share_or_a_number(text, k):
    assert train_fields.recipe_of({**FORM, "k": text})["k"] == k


def test_a_decimal_comma_with_three_digits_is_no_separator_of_thousands():
    found = train_fields.recipe_of({**FORM, "learning_rate": "0,001", "hold_out": "0,100", "epochs": "12.125"})
    assert {name: found[name] for name in ("learning_rate", "hold_out", "epochs")} == {
        "learning_rate": 0.001, "hold_out": 0.1, "epochs": 12.125,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [("k", "200.000"), ("max_steps", "10.000"), ("seed", "1.234.567")])
def test_a_number_with_points_for_thousands_is_refused_with_the_one_to_write(name, text):
    with pytest.raises(SettingsRefused, match=f"Write {text.replace('.', '')} "):
        train_fields.recipe_of({**FORM, name: text})


def test_every_field_has_a_label_of_its_own_in_every_language():
    for code in strings.SPOKEN:
        with strings.speaking(code):
            labels = {name: train_fields.label(name) for name in EMPTY}
            assert [name for name, label in labels.items() if label == name] == []
            assert (
                len({labels[f"{name}_{n}"] for name in ("train", "source", "repeat") for n in train_fields.FURTHER})
                == 15
            )


def test_every_setting_that_the_form_takes_has_a_field_a_label_and_a_line_of_explanation():
    for kind, recipe in (("language", LanguageRecipe), ("task", TaskRecipe)):
        settings = set(recipe().to_dict()) - set(train_fields.ABSENT)
        assert settings <= {"method", "rank", "keep", "k", *ADVANCED}
        assert settings <= set(strings.SETTINGS)
        fields = {**EMPTY, **{name: train_fields.shown(recipe(), name) for name in ADVANCED if name in settings}}
        fields |= {"kind": kind, "preset": "paper", "ablate": "", "k": repr(recipe().k), "keep": "0.05"}
        typed = recipe().changed(train_fields.recipe_of(fields))
        assert typed == recipe()  # typed out in full, the paper's settings are the paper's


def test_every_choice_of_the_form_is_one_that_the_library_knows(studio):
    for name, choices in train_fields.CHOICES.items():
        for choice in choices:
            kind = "language" if train_fields.has("language", name) else "task"
            request = train_fields.from_form({**FORM, "kind": kind, name: choice}, SAMPLE)
            assert not [r for r in studio.forecast.look(request).refusals if r.field == name]
    for rank in strings.RANKS:
        assert not studio.forecast.look(train_fields.from_form({**FORM, "rank": rank}, SAMPLE)).refusals
    for preset in strings.PRESETS:
        assert train_fields.preset_recipe("task", preset)


# What is refused


@pytest.mark.parametrize(
    ("corpus", "changed", "reason"),
    [
        (None, {}, strings.NEEDS_CORPUS),
        (SAMPLE, {"name": "  "}, strings.NEEDS_NAME),
        (None, {"kind": "task"}, strings.NEEDS_TABLE),
        (None, {"kind": "task", "name": ""}, strings.NEEDS_TASK_NAME),
        (None, {"kind": "task", "train": "../jobs.sqlite"}, "not known"),
        (SAMPLE, {"learning_rate": "fast"}, "is not a number"),
        (SAMPLE, {"max_steps": "2.5"}, "whole number"),
        (SAMPLE, {"learning_rate": "-1"}, "out of range"),
        (SAMPLE, {"share": None}, "variance"),
        (SAMPLE, {"share": 2}, "variance"),
        (SAMPLE, {"k": "999,999,999"}, "selects 999,999,999 of"),
        (SAMPLE, {"base": "nusantara-e"}, "Did you mean 'nusantara-e5'"),
        (SAMPLE, {"batch_size": "30", "accumulation": "4"}, "equal parts"),
        ("gone.txt", {}, "not known"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(studio, corpus, changed, reason):
    job, said = start(studio, {**FORM, **changed}, corpus)
    assert job is None
    assert reason in said
    assert studio.store.list() == ()


def test_a_refusal_names_the_fields_and_says_that_nothing_is_lost(studio):
    _, said = start(studio, {**FORM, "learning_rate": "fast", "seed": "1.5"})
    assert f"<b>{strings.SETTINGS['learning_rate']}:</b>" in said
    assert f"<b>{strings.SETTINGS['seed']}:</b>" in said
    assert strings.KEPT_FORM in said


def test_what_a_person_typed_cannot_become_markup(studio):
    for changed in ({"learning_rate": "<script>"}, {"base": "<script>"}):
        assert "<script>" not in train_tab.start_training(SAMPLE, {**FORM, **changed})[1]
        assert "<script>" not in train_preview.preview(SAMPLE, {**FORM, **changed})[0]


def test_a_table_that_cannot_be_learned_from_is_refused(studio, tmp_path):
    one = tmp_path / "one.csv"
    one.write_text("text,label\na b,x\nc d,x\n", encoding="utf-8")
    _, said = start(studio, {**TASK, "train": studio.tables.add(one)}, None)
    assert "nothing to learn" in said
    (tmp_path / "bad.csv").write_text("", encoding="utf-8")
    *unchanged, said, _ = labelled_upload.receive(str(tmp_path / "bad.csv"), "train", train_choices.listed)
    assert unchanged[:2] == [gr.skip(), gr.skip()]
    assert "empty" in said


def test_a_source_made_for_another_base_is_refused_before_it_starts(studio, page_base, table, tmp_path):
    studio.base()  # told apart by its weights, as far as they are loaded
    other = make_base(tmp_path / "other-base", seed=1)
    source = finish_language_job(studio.store, other, write_corpus(tmp_path / "text.txt"))
    job, said = start(studio, {**TASK, "train": table, "source": f"job:{source.id}"}, None)
    assert job is None
    assert "other-base" in said


# What it takes


def test_the_outlook_shows_time_memory_disk_and_size_and_what_the_time_rests_on(studio):
    shown, command, python, file = train_preview.preview(SAMPLE, FORM)
    shown = unescape(shown)
    for word in (strings.TIME, strings.MEMORY, strings.DISK, strings.VECTOR_SIZE, strings.RESTS_ON_TRIAL):
        assert word in shown
    assert command.startswith("python -m deftx language ")
    assert "deftx.learn_language(" in python
    assert json.loads(file)["corpus"] == SAMPLE


def test_the_time_rests_on_trainings_that_finished_here(studio):
    job, _ = start(studio, FORM)
    events = [
        Event("dense", 1, 2, time=100.0),
        Event("dense", 2, 2, time=1_100.0),
        Event("evaluate", 2, 2, time=1_200.0),
    ]
    (job.folder / EVENTS).write_text("".join(event.to_json() + "\n" for event in events), encoding="utf-8")
    assert studio.forecast.look(train_fields.from_form(FORM, SAMPLE)).trainings == 0  # it still waits
    write_json(job.folder / RESULT, {"outcome": "finished", "message": ""})
    outlook = studio.forecast.look(train_fields.from_form(FORM, SAMPLE))
    assert outlook.trainings == 1
    assert outlook.found.seconds[0] < outlook.found.steps * 1_000 + 100 < outlook.found.seconds[1]
    assert strings.RESTS_ON_ONE in train_preview.preview(SAMPLE, FORM)[0]


def test_nothing_is_reckoned_before_there_is_something_to_learn_from(studio):
    assert strings.NOT_YET in train_preview.preview(None, EMPTY)[0]
    assert strings.NOT_YET_TASK in train_preview.preview(None, TASK)[0]
    assert train_preview.preview(None, EMPTY)[1:3] == ("", "")


def test_what_would_be_refused_is_said_before_the_start(studio):
    shown = train_preview.preview(SAMPLE, {**FORM, "base": "/nowhere", "clip": "0"})[0]
    assert strings.WOULD_BE_REFUSED in shown
    assert f"<b>{strings.FIELDS['base']}:</b>" in shown
    assert f"<b>{strings.SETTINGS['clip']}:</b>" in shown


def test_a_base_that_was_not_found_is_not_looked_for_at_every_key(studio, monkeypatch):
    asked = []

    def look(name):
        asked.append(name)
        raise BaseModelError("not there")

    monkeypatch.setattr(studio.forecast, "_bases", look)
    for _ in range(3):
        outlook = studio.forecast.look(TrainingRequest(kind="language", base="someone/something", corpus=(SAMPLE,)))
        assert [r.field for r in outlook.refusals] == ["base"]
    assert asked == ["someone/something"]


def test_text_that_was_replaced_is_counted_anew(studio, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\n".join(sentences(40)), encoding="utf-8")
    name = studio.corpora.add(path)
    request = train_fields.from_form({**FORM, "max_steps": "none"}, name)
    before = studio.forecast.look(request).found
    (studio.corpora.folder / name).write_text("\n".join(sentences(4_000)), encoding="utf-8")
    assert studio.forecast.look(request).found.steps > 10 * before.steps


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "10 s"),
        (44, "40 s"),
        (100, "2 min"),
        (3_000, "50 min"),
        (9_000, "2.5 h"),
        (36_000, "10 h"),
        (260_000, "3 days"),
    ],
)
def test_times_are_said_as_roughly_as_they_are_known(seconds, words):
    assert train_preview.rough(seconds) == words


def test_refusals_of_the_machine_have_names_too():
    shown = train_preview.refusals_view("x", [Refusal("disk", "full"), Refusal("memory", "small")])
    assert f"<b>{strings.FIELDS['disk']}:</b> full" in shown


# The form itself


def test_a_choice_shows_its_fields_with_the_presets_values_in_grey():
    names = ("name", "share", "uniform", "keep", "k", *ADVANCED)

    def shaped(*choices, pairs=False):
        language, task, ranks, *fields = train_form.shape(*choices, pairs)
        return language.visible, task.visible, ranks.visible, dict(zip(names, fields, strict=True))

    language, task, ranks, fields = shaped("language", "paper", "deft-x", "uniform")
    assert (language, task, ranks) == (True, False, True)
    assert (fields["share"].visible, fields["uniform"].visible) == (False, True)
    assert (fields["k"].placeholder, fields["max_steps"].placeholder) == ("2.764 %", "100000")
    assert (fields["l1"].visible, fields["mask_share"].visible, fields["metric"].visible) == (True, True, False)
    language, task, ranks, fields = shaped("task", "paper", "lt-sft", "variance", pairs=True)
    assert (language, task, ranks) == (False, True, False)
    assert (fields["batch_size"].placeholder, fields["metric"].visible, fields["ablate"].visible) == ("32", True, False)
    assert strings.AS_PRESET.format(value="accuracy") in dict(fields["metric"].choices)


def test_what_was_entered_comes_back_after_a_reload(studio, table):
    values = {**TASK, "train": table, "learning_rate": "not yet a num", "base": "some/base"}
    text, *fields, ready = train_tab.restore(json.loads(json.dumps(values)))
    assert ready is True
    assert [label for label, _ in text.choices] == [strings.SAMPLE]
    back = values_in(dict(zip(EMPTY, fields, strict=True)))
    assert back == values


@pytest.mark.parametrize(
    "kept", ["", None, [], {"kind": "other"}, {"kind": "task", "train": "gone.csv", "seed": ["x"]}]
)
def test_what_the_browser_kept_from_elsewhere_does_no_harm(studio, kept):
    fields = train_tab.restore(kept)[1:-1]
    back = values_in(dict(zip(EMPTY, fields, strict=True)))
    assert {**back, "kind": "language"} == EMPTY


def test_an_uploaded_table_is_kept_and_chosen(studio, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,label\na b,x\nc d,y\n", encoding="utf-8")
    train, valid, *_, said, _ = labelled_upload.receive(str(path), "valid", train_choices.listed)
    assert (valid.value, said) == ("t.csv", "")
    assert [name for _, name in train.choices] == ["t.csv"]
    assert valid.choices[0][1] == ""


def test_an_uploaded_table_in_another_encoding_with_other_columns_is_asked_about(studio, tmp_path):
    path = tmp_path / "old.csv"
    path.write_bytes(
        "id;critique;étoiles\n1;l’été était beau;5\n2;où est-il passé;1\n3;l’hôtel est laid;1\n4;très bien;5\n".encode(
            "cp1252"
        )
    )
    *_, place, _, choice, waiting = labelled_upload.receive_any(str(path), "train", train_choices.listed)
    assert (place.visible, choice.value, studio.tables.names()) == (True, "cp1252", [])
    answer = labelled_upload.receive_in("train", waiting, "cp1252", train_choices.listed)
    assert answer[2].visible  # now the columns
    asked_of = answer[-5]
    chosen = {"text": "critique", "label": "étoiles"}
    train, *_ = labelled_upload.map_columns(asked_of, "single", chosen, train_choices.listed)
    assert train.value == "old.csv"
    assert studio.tables.columns("old.csv") == chosen
    assert "l’été était beau" in studio.tables.read("old.csv").texts


def test_what_came_meanwhile_is_offered_and_the_choices_stay(studio, table):
    names = ["text", *train_choices.of_fields()]
    chosen = {**dict.fromkeys(names, ""), "text": None, "train": table}
    updates = [update._constructor_args[0] for update in train_tab.renew_lists(list(chosen.values()))]
    train, source = (updates[names.index(name)] for name in ("train", "source"))
    assert all("value" not in update for update in updates)
    assert [name for _, name in train["choices"]] == [table]
    assert (strings.NO_SOURCE, "") in source["choices"]


def test_a_choice_that_was_removed_meanwhile_is_taken_back(studio, table):
    studio.tables.discard(table)
    lists = train_choices.of_fields()
    updates = train_tab.renew_lists(["gone.txt", *[table] * len(lists)])
    assert [update.value for update in updates] == [None, *(EMPTY[name] for name in lists)]


def test_all_that_cannot_be_read_or_used_is_said_at_once(studio, table):
    values = {**EMPTY, "kind": "task", "train": table, "code": "no code", "max_steps": "many", "learning_rate": "-3"}
    said = train_preview.preview(None, values)[0]
    for field in ("code", "max_steps", "learning_rate"):
        assert strings.REFUSED.format(field=train_fields.label(field)) in said


@pytest.mark.parametrize("code", ["min", "quy", "id-Latn", ""])
def test_codes_of_languages_are_taken(code):
    assert train_fields.from_form({**EMPTY, "code": code}, None).language == code


def test_the_language_of_a_text_is_named(studio):
    assert train_names.of_text(SAMPLE) == ("Indonesian", "ind")
    assert train_names.of_text("gone.txt") == ("", "")


# Settings in and out


def answered(answer):
    text, *fields, said = answer
    return text, dict(zip(EMPTY, fields, strict=True)), said


def test_a_settings_file_puts_the_form_as_it_was(studio, tmp_path):
    values = {**FORM, "rank": "mp", "learning_rate": "0.001", "preset": "standard", "seed": "7"}
    path = tmp_path / "settings.json"
    path.write_text(train_preview.preview(SAMPLE, values)[3], encoding="utf-8")
    text, fields, said = answered(train_settings.open_file(str(path)))
    assert text.value == SAMPLE
    assert {name: fields[name]["value"] for name in ("name", "code", "rank", "learning_rate", "preset", "seed")} == {
        "name": "Minangkabau", "code": "min", "rank": "mp", "learning_rate": "0.001", "preset": "standard", "seed": "7",
    }  # fmt: skip
    assert "Minangkabau" in said


def test_what_a_settings_file_says_wrongly_is_named_and_the_form_keeps_what_was_there(studio, tmp_path):
    path = tmp_path / "settings.json"
    path.write_text('{"format": "deftx-settings", "version": 1, "kind": "task", "train": "elsewhere.csv", "colour": "red",'
                    ' "recipe": {"seed": 1, "clip": 0}}', encoding="utf-8")  # fmt: skip
    text, fields, said = answered(train_settings.open_file(str(path)))
    assert (text, fields["train"]) == (gr.skip(), gr.skip())
    assert fields["seed"]["value"] == "1"
    for words in ("elsewhere.csv", "colour", "clip"):
        assert words in said
    path.write_text("no json", encoding="utf-8")
    text, fields, said = answered(train_settings.open_file(str(path)))
    assert all(update == gr.skip() for update in (text, *fields.values()))
    assert strings.NOT_OPENED in said


def test_another_like_this_one_is_the_same_request(studio):
    job, _ = start(studio, {**FORM, "rank": "uniform", "uniform": 4, "max_steps": "20", "ablate": "no-residual"})
    text, fields, _ = answered(train_settings.again(job))
    values = values_in(fields)
    assert text.value == SAMPLE
    assert requests.resolve(studio, train_fields.from_form(values, text.value)) == job.request
