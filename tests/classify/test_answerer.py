"""Answering questions: answers marked in the text as it is, those of plain transformers code, and refusals."""

import re
from dataclasses import replace

import pytest
import tiny_answers
import torch

from deftx.classify.answerer import Answerer, answerer
from deftx.classify.composition import compose
from deftx.classify.tagger import tagger
from deftx.classify.workbench import Workbench
from deftx.core.errors import DeftxError, VectorError
from deftx.publish.classifier_space import write_space
from deftx.publish.exporting import export_folder
from deftx.publish.onnx_folder import write_onnx
from deftx.publish.peft_folder import write_peft
from deftx.publish.report import report
from deftx.vectors.description import check_info
from deftx.vectors.vector import SparseVector

ASKED = [
    ("very the", "this the night is sweet not"),
    ("is this", "the  day\twas\n good "),
    ("very", "this the road was awful word7 word8 word9"),
    ("not this", "the book the song is fine"),
]


@pytest.fixture(scope="module")
def vectors(base, tmp_path_factory):
    """A vector that knows "no answer", by True, and one that does not."""
    return {known: tiny_answers.learn(base, tmp_path_factory.mktemp(str(known)), known) for known in (True, False)}


@pytest.mark.slow
def test_the_answer_is_marked_in_the_text_as_it_is(base, vectors):
    asked = [("very the", text) for text in ("this the night is sweet not", " this the  day\twas\n good not")]
    found = compose(base, task=vectors[True]).answer(asked)
    assert [one.text for one in found] == ["sweet", "good"]
    for one in found:
        assert one.answer is one.answers[0]
        assert all(one.context[answer.start : answer.end] == answer.text for answer in one.answers)
        assert len(one.answers) == len({(answer.start, answer.end) for answer in one.answers})
        shares = [answer.probability for answer in one.answers]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) + one.no_answer == pytest.approx(1.0)


def test_no_answer(base, vectors):
    knows, never = (compose(base, task=vectors[known]) for known in (True, False))
    question = [("very the", "this the night is word3 not")]
    (refused,), (answered,) = knows.answer(question), never.answer(question)
    assert (refused.answer, refused.text) == (None, "")
    assert refused.no_answer > refused.answers[0].probability
    assert answered.no_answer is None
    assert answered.text
    assert (knows.may_refuse, never.may_refuse) == (True, False)
    (nothing,) = never.answer([("very the", " \n")])
    assert (nothing.answers, nothing.answer) == ((), None)


def test_the_settings_of_the_vector_are_used(base, vectors, tmp_path):
    assert (compose(base, task=vectors[True]).max_length, compose(base, task=vectors[True]).n_best) == (32, 20)
    settings = {"window": 20, "stride": 4, "n_best": 3, "max_steps": 1}
    made = compose(base, task=tiny_answers.learn(base, tmp_path, **settings))
    assert (made.max_length, made.stride, made.n_best) == (20, 4, 3)
    assert len(made.answer(ASKED)[0].answers) == 3


@pytest.mark.parametrize(
    "settings", [{"window": 4}, {"stride": -1}, {"n_best": -3}, {"window": "many"}, {"window": True}]
)
def test_settings_that_a_stranger_wrote_are_refused(base, vectors, settings):
    """A window without room for text would be cut for ever."""
    vector = vectors[True]
    made = replace(vector, info={**vector.info, "recipe": {**vector.info["recipe"], **settings}})
    with pytest.raises(VectorError, match="settings for questions"):
        compose(base, task=made)


def test_a_vector_on_questions_has_two_labels(base, vectors):
    info = vectors[True].info
    with pytest.raises(VectorError, match="two labels"):
        check_info({**info, "labels": ["start", "end", "third"]})


def test_a_long_text_is_read_to_its_end(base, vectors):
    made = compose(base, task=vectors[True])
    text = " ".join(["this the night is word3 not"] * 20) + " this the day was bitter not"
    (found,) = made.answer([("very the", text)])
    assert (found.text, found.answer.start) == ("bitter", text.index("bitter"))
    assert made.cut([text]) == []


def test_plain_transformers_code_of_the_card_gives_the_same_answers(base, vectors, language_vector, tmp_path, capsys):
    language = SparseVector.load(language_vector)
    made = compose(base, task=vectors[False], language=language)
    export_folder(made, tmp_path / "out", [(vectors[False], 1.0), (language, 1.0)], repository=str(tmp_path / "out"))
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert '"question-answering"' in card
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL)[1]
    assert '"a question in the language", "a text with the answer"' in code
    for question, context in ASKED:
        exec(code.replace('"a question in the language", "a text with the answer"', f"{question!r}, {context!r}"))
    theirs = capsys.readouterr().out.splitlines()
    assert theirs == [one.text for one in made.answer(ASKED)]
    assert len(set(theirs)) > 2


def test_a_workbench_answers_and_restores(base, vectors, language_vector):
    bench, language = Workbench(base, vectors[True]), SparseVector.load(language_vector)
    with bench.holding([(vectors[True], 1.0)]) as made:
        before = made.answer(ASKED)
    with bench.holding([(vectors[True], 1.0), (language, 1.0)]) as made:
        assert isinstance(made, Answerer)
        assert made.may_refuse
        made.answer(ASKED)
    with bench.holding([(vectors[True], 1.0)]) as made:
        assert made.answer(ASKED) == before


def test_what_one_kind_of_task_can_do_the_other_refuses(base, vectors, task_vector, tmp_path):
    made, texts = compose(base, task=vectors[True]), compose(base, task=task_vector)
    for call in (made.classify, made.predict):
        with pytest.raises(DeftxError, match="answers questions and does not classify texts"):
            call(["the night"])
    with pytest.raises(VectorError, match="Mood classifies texts and answers no questions"):
        answerer(texts, "Mood")
    with pytest.raises(VectorError, match="Mood answers questions and does not tag words"):
        tagger(made, "Mood")
    for refused in (
        lambda: write_space(made, tmp_path / "out", title="x"),
        lambda: write_onnx(made, tmp_path / "out"),
        lambda: write_peft(base, [(vectors[True], 1.0)], tmp_path / "out"),
        lambda: report(tmp_path / "out", base=base, task=vectors[True]),
    ):
        with pytest.raises(
            VectorError, match=r"This task vector answers questions; an? .* needs one that classifies texts"
        ):
            refused()
    for wrong in ("the night", ["the night"], [("a", "b", "c")]):
        with pytest.raises(DeftxError, match="a list of pairs"):
            made.answer(wrong)
    assert not (tmp_path / "out").exists()


def test_the_base_stays_as_it_is(base, vectors):
    before = {name: value.clone() for name, value in base.parameters().items()}
    compose(base, task=vectors[True]).answer(ASKED)
    assert all(torch.equal(before[name], value) for name, value in base.parameters().items())
