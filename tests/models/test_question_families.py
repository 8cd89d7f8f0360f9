"""Questions on every family of encoders: a head of transformers on the same encoder; decoders are refused with the reason."""

import pytest
import tiny
import tiny_decoders
import tiny_families
import tiny_questions
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from deftx.classify.composition import compose
from deftx.core.errors import BaseModelError
from deftx.models.bases import load_base
from deftx.models.parameters import encoder_parameters
from deftx.training.task import learn_task

WITHOUT = {"eurobert"}  # transformers has no model of this family for questions
FAMILIES = [name for name in tiny_families.TINY if name not in WITHOUT]
RECIPE = {"max_steps": 1, "evaluate_every": 1, "batch_size": 2}
QUESTION, CONTEXT = "very the", "this the night is sweet not"


@pytest.fixture
def file(tmp_path):
    return tiny_questions.write_squad(tmp_path / "rows.json", tiny_questions.paragraphs()[:8])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_answers_and_its_export_computes_the_same(name, file, tmp_path):
    base = load_base(tiny_families.make_family(name, tmp_path / "base"))
    vector = learn_task(file, base, tiny.task_recipe(**RECIPE), out=tmp_path / "v")
    made = compose(base, task=vector)
    own, theirs = encoder_parameters(base.model), encoder_parameters(made.model)
    assert {n: p.shape for n, p in own.items()} == {n: p.shape for n, p in theirs.items()}
    assert vector.head.keys() == {n for n, _ in made.model.named_parameters()} - theirs.keys()
    (found,) = made.answer([(QUESTION, CONTEXT)])
    made.save_pretrained(tmp_path / "out")
    model, loading = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not loading["missing_keys"]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    inputs = tokenizer(QUESTION, CONTEXT, return_tensors="pt", return_offsets_mapping=True)
    spans = inputs.pop("offset_mapping")[0].tolist()
    places = [place for place, part in enumerate(inputs.sequence_ids(0)) if part == 1]
    with torch.no_grad():
        logits = model(**inputs)
    scores = {
        (CONTEXT[spans[i][0] : spans[j][1]].strip()): float(logits.start_logits[0, i] + logits.end_logits[0, j])
        for i in places for j in places if i <= j
    }  # fmt: skip
    assert found.text == max(scores, key=scores.get)
    shares = torch.tensor(sorted(scores.values(), reverse=True)[:20]).softmax(0).tolist()
    assert [one.probability for one in found.answers] == pytest.approx(shares, abs=1e-5)


def test_a_family_without_such_a_model_is_refused(file, tmp_path):
    base = load_base(tiny_families.make_family("eurobert", tmp_path / "base"))
    with pytest.raises(BaseModelError, match="no model that answers questions for bases of the type eurobert"):
        learn_task(file, base, tiny.task_recipe(**RECIPE), out=tmp_path / "v")


def test_a_decoder_is_refused_with_the_reason(file, tmp_path):
    base = load_base(tiny_decoders.make_decoder("qwen3", tmp_path / "base"))
    with pytest.raises(BaseModelError, match="first word of an answer would not depend on what follows it"):
        learn_task(file, base, tiny.task_recipe(**RECIPE), out=tmp_path / "v")
