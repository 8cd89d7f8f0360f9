"""Tagging texts: marks in the text as it is, the same as those of transformers' pipeline, and refusals."""

from dataclasses import replace

import pytest
import tiny
import tiny_tokens
import torch
from transformers import pipeline

from deftx.classify.composition import compose
from deftx.classify.tag_scores import tags_lacking
from deftx.classify.tagger import Tagger, tagger
from deftx.classify.workbench import Workbench
from deftx.core.errors import DeftxError, TableError, VectorError
from deftx.data.token_rows import TokenTable
from deftx.publish.classifier_space import write_space
from deftx.publish.exporting import export_folder
from deftx.publish.report import report
from deftx.training.task import learn_task
from deftx.vectors.vector import SparseVector

TEXTS = [" ".join(words) for words in tiny_tokens.sentences()[::7]] + [
    "the day is very good",
    "unseen night was bad food",
]


def learn(base, folder, tags):
    rows = tiny_tokens.write_jsonl(folder / "rows.jsonl", tiny_tokens.rows(tags))
    recipe = tiny.task_recipe(max_steps=60, evaluate_every=20, batch_size=16, learning_rate=5e-3, k=3000)
    return learn_task(rows, base, recipe, out=folder / "v", language="ind")


@pytest.fixture(scope="module")
def vectors(base, tmp_path_factory):
    """A vector that finds entities, and one of parts of speech."""
    return {
        name: learn(base, tmp_path_factory.mktemp(name), tags)
        for name, tags in (("entities", tiny_tokens.ENTITIES), ("parts", tiny_tokens.PARTS))
    }


@pytest.mark.slow
def test_entities_are_marked_in_the_text_as_it_is(base, vectors):
    (found,) = compose(base, task=vectors["entities"]).tag(["the  night\twas bad "])
    assert [found.text[start:end] for start, end in found.words] == ["the", "night", "was", "bad"]
    assert [(mark.label, mark.text) for mark in found.marks] == [("THING", "night"), ("MOOD", "was bad")]
    assert found.text[found.marks[0].start : found.marks[0].end] == "night"
    assert all(0 < probability <= 1 for probability in found.probabilities)


def test_every_word_has_a_part_of_speech(base, vectors):
    made = compose(base, task=vectors["parts"])
    (found, nothing) = made.tag(["the night was bad", "  "])
    assert found.tags == ["DET", "NOUN", "AUX", "ADJ"]
    assert [mark.label for mark in found.marks] == found.tags
    assert not made.entities
    assert nothing.marks == nothing.words == []
    assert made.tag_words([["the", "night"], []]) == [["DET", "NOUN"], []]


@pytest.mark.parametrize("name", ["entities", "parts"])
def test_a_pipeline_of_transformers_gives_the_same_marks(base, vectors, language_vector, tmp_path, name):
    language = SparseVector.load(language_vector)
    made = compose(base, task=vectors[name], language=language)
    export_folder(made, tmp_path / "out", [(vectors[name], 1.0), (language, 1.0)])
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert '"token-classification"' in card
    tag = pipeline("token-classification", str(tmp_path / "out"), aggregation_strategy="first")
    assert sum(len(one.marks) for one in made.tag(TEXTS)) > len(TEXTS)
    for text in TEXTS:
        theirs = [(one["entity_group"], one["start"], one["end"], float(one["score"])) for one in tag(text)]
        (found,) = made.tag([text])
        ours = [(mark.label, mark.start, mark.end, mark.probability) for mark in found.marks]
        if name == "parts":
            ours = joined(ours)
        assert [one[:3] for one in without_space(text, theirs)] == [one[:3] for one in ours]
        assert [one[3] for one in theirs] == pytest.approx([one[3] for one in ours], abs=1e-5)


def joined(marks):
    """A pipeline makes one group of neighbours with the same tag."""
    found = []
    for mark in marks:
        if found and found[-1][0][0] == mark[0]:
            found[-1].append(mark)
        else:
            found.append([mark])
    return [(group[0][0], group[0][1], group[-1][2], sum(one[3] for one in group) / len(group)) for group in found]


def without_space(text, groups):
    """The tokenizer's offsets begin at the space before a word."""
    return [
        (label, start + len(text[start:end]) - len(text[start:end].lstrip()), end) for label, start, end, _ in groups
    ]


def test_a_long_text_is_read_to_its_end(base, vectors):
    made = compose(base, task=vectors["entities"])
    text = " ".join(["the night is good"] * 20)
    (found,) = made.tag([text])
    assert len(found.tags) == 80
    assert made.cut([text]) == []
    assert [mark.start for mark in found.marks if mark.label == "THING"][-1] == text.rindex("night")


def test_a_workbench_tags_and_restores(base, vectors, language_vector):
    bench, language = Workbench(base, vectors["entities"]), SparseVector.load(language_vector)
    alone = [(vectors["entities"], 1.0)]
    with bench.holding(alone) as made:
        before = made.tag(TEXTS)
    with bench.holding([*alone, (language, 1.0)]) as made:
        assert isinstance(made, Tagger)
        made.tag(TEXTS)
    with bench.holding(alone) as made:
        assert made.tag(TEXTS) == before
    composed = compose(base, task=vectors["entities"])
    assert [one.tags for one in composed.tag(TEXTS)] == [one.tags for one in before]


def test_what_one_kind_of_task_can_do_the_other_refuses(base, vectors, task_vector, tmp_path):
    words, texts = compose(base, task=vectors["entities"]), compose(base, task=task_vector)
    for call in (words.classify, words.predict):
        with pytest.raises(DeftxError, match="tags the words of a text"):
            call(["the night"])
    with pytest.raises(VectorError, match="does not tag words"):
        tagger(texts, "Mood")
    with pytest.raises(VectorError, match="a Space"):
        write_space(words, tmp_path / "space", title="x")
    with pytest.raises(VectorError, match="a report"):
        report(tmp_path / "report.html", base=base, task=vectors["entities"])
    with pytest.raises(DeftxError, match="single texts"):
        words.tag([("a", "b")])
    assert not (tmp_path / "space").exists()


def test_words_that_are_all_outside_fit_any_task():
    outside = TokenTable([("a",)], [("O",)], "a.conll", "")
    assert tags_lacking("Names", ["B-A", "O"], outside) == tags_lacking("Parts", ["NOUN"], outside) == []
    with pytest.raises(TableError, match="a class of each word"):
        tags_lacking("Names", ["B-A", "O"], replace(outside, tags=[("NOUN",)]))


def test_a_head_for_texts_is_not_put_on_words(base, vectors):
    wrong = SparseVector(**{**vars(vectors["entities"]), "info": {**vectors["entities"].info, "corpus": {}}})
    with pytest.raises(VectorError, match="does not fit this base"):
        compose(base, task=wrong)


def test_the_base_stays_as_it_is(base, vectors):
    before = {name: value.clone() for name, value in base.parameters().items()}
    compose(base, task=vectors["entities"]).tag(TEXTS)
    assert all(torch.equal(before[name], value) for name, value in base.parameters().items())
