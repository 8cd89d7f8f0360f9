"""A task learned from several files: each file's vector is on for its rows alone, and nothing of it stays."""

import itertools
import json

import pytest
import tiny
import torch
from torch.nn.functional import cross_entropy

from deftx.core.errors import RecipeError, TableError, TrainingStopped, VectorError
from deftx.data.table_rows import Table, hold_out
from deftx.models.bases import load_base
from deftx.models.parameters import head_parameters, sparse_trainable
from deftx.training import finish, task
from deftx.training.labelled_files import by_name, short_names
from deftx.training.language import learn_language
from deftx.training.task import learn_task
from deftx.vectors.apply import apply_vectors
from deftx.vectors.vector import SparseVector

LABELS = ["negative", "positive"]
MARK = "word7"  # in every row of the second file, and in no row of the first


def table(rows, name="rows", pairs=False):
    return Table([text for text, _ in rows], [label for _, label in rows], pairs, name, name.ljust(64, "0"))


FIRST = table(tiny.labelled_rows(), "first.csv")
SECOND = table([(f"{MARK} {text}", label) for text, label in tiny.labelled_rows()[::4]], "second.csv")
VALID = table([(f"this {text}", label) for text, label in tiny.labelled_rows()[::5]], "valid.csv")


@pytest.fixture(scope="module")
def steady_base(tmp_path_factory):
    """A base without dropout, so that plain torch draws no random numbers."""
    return load_base(tiny.make_base(tmp_path_factory.mktemp("base") / "steady", dropout=0.0))


@pytest.fixture(scope="module")
def vectors(steady_base, tmp_path_factory):
    """Language vectors of two texts, with values large enough to matter."""
    found = []
    for draw in (1, 2):
        out = tmp_path_factory.mktemp("language") / "v"
        lines = out.parent / "text.txt"
        lines.write_text("\n".join(tiny.sentences(80, seed=draw)), encoding="utf-8")
        recipe = tiny.language_recipe(learning_rate=0.02, k=900)
        found.append(learn_language(lines, steady_base, recipe, out=out, language=f"l{draw}"))
    return found


def learn(base, out, **arguments):
    given = {"train": [FIRST, SECOND], "valid": VALID, **arguments}
    settings = given.pop("settings", {})
    return learn_task(given.pop("train"), base, tiny.task_recipe(**settings), out=out, **given)


@pytest.fixture
def noted(monkeypatch):
    """The learners of the training runs of a test."""
    learners, original = [], finish.learn
    monkeypatch.setattr(finish, "learn", lambda learner, *rest: learners.append(learner) or original(learner, *rest))
    return learners


def dense(vector, name):
    return vector.dense(name) if name in vector.positions else 0.0


def plain_phase(base, objective, phase, steps, vectors, masks=None):
    """One phase in plain torch: the vector of the rows' file is added for the gradients, and taken off by assignment."""
    model = base.classifier(LABELS, 42).train()
    trained, head = sparse_trainable(model), head_parameters(model)
    start = {name: p.detach().clone() for name, p in trained.items()}
    optimizer = torch.optim.AdamW([*trained.values(), *head.values()], lr=0.0, weight_decay=0.0)
    for step in range(steps):
        batch = objective.micro_batches(phase, step)[0]
        texts = [base.tokenizer.decode(ids, skip_special_tokens=True) for ids in batch["input_ids"]]
        marked = {MARK in text for text in texts}
        assert len(marked) == 1  # the rows of a batch are of one file
        before = {name: p.detach().clone() for name, p in trained.items()}
        vector = vectors[marked.pop()]
        for name, p in trained.items():
            p.data = p.data + dense(vector, name)
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        cross_entropy(logits, batch["labels"]).backward()
        for name, p in trained.items():
            p.data = before[name]
            p.grad = p.grad if masks is None else p.grad * masks[name]
        torch.nn.utils.clip_grad_norm_([*trained.values(), *head.values()], 1.0)
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - step / steps)
        optimizer.step()
        optimizer.zero_grad()
    return {name: p.detach() - start[name] for name, p in trained.items()}


def test_both_phases_are_those_of_plain_torch(steady_base, vectors, tmp_path, noted):
    steps = 10
    settings = {"method": "lt-sft", "max_steps": steps, "evaluate_every": steps, "k": 400}
    vector = learn(steady_base, tmp_path / "v", source=vectors, repeat=[1, 2], settings=settings)
    objective = noted[0].objective
    used = {MARK in steady_base.tokenizer.decode(objective.micro_batches("dense", s)[0]["input_ids"][0])
            for s in range(steps)}  # fmt: skip
    assert used == {False, True}
    delta = plain_phase(steady_base, objective, "dense", steps, vectors)
    sizes = torch.cat([delta[name].abs().flatten() for name in delta])
    chosen = torch.zeros(len(sizes)).index_fill_(0, sizes.topk(400).indices, 1.0)
    masks = dict(zip(delta, chosen.split([d.numel() for d in delta.values()]), strict=True))
    for name, mask in masks.items():
        found = torch.zeros(len(mask)).index_fill_(0, vector.positions.get(name, torch.tensor([], dtype=torch.long)), 1)
        assert found.equal(mask)  # μ
    shaped = {name: mask.view(delta[name].shape) for name, mask in masks.items()}
    phi = plain_phase(steady_base, objective, "sparse", steps, vectors, shaped)
    for name, positions in vector.positions.items():
        torch.testing.assert_close(vector.values[name], phi[name].flatten()[positions], rtol=1e-3, atol=2e-6)
    alone = plain_phase(steady_base, objective, "dense", steps, [vectors[0], vectors[0]])
    assert not all(torch.allclose(alone[name], delta[name], rtol=1e-3, atol=2e-6) for name in delta)


def test_a_vector_is_taken_off_bit_for_bit_where_subtraction_is_not_exact(steady_base, vectors, tmp_path, noted):
    learn(steady_base, tmp_path / "v", source=vectors)
    objective, model = noted[0].objective, steady_base.classifier(LABELS, 42)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    step = next(s for s in range(50) if objective._orders["dense"](s)[0] >= len(FIRST))
    with objective.weights(model, "dense", step):
        on = {name: p.detach().clone() for name, p in sparse_trainable(model).items()}
    assert all(p.equal(before[name]) for name, p in model.named_parameters())
    assert all(on[n].equal(before[n] + dense(vectors[1], n)) for n in on)
    assert not all((on[n] - dense(vectors[1], n)).equal(before[n]) for n in on)
    with pytest.raises(TrainingStopped), objective.weights(model, "dense", step):
        raise TrainingStopped
    assert all(p.equal(before[name]) for name, p in model.named_parameters())


def test_the_validation_rows_are_scored_with_the_vector_of_the_first_file(steady_base, vectors, tmp_path, noted):
    vector = learn(steady_base, tmp_path / "v", source=vectors)
    learner = noted[0]  # its model has θ0 + φ_T and the head at the end
    after = learner.objective.predicted(learner.model)
    apply_vectors(sparse_trainable(learner.model), [(vectors[0], 1.0)])
    model, rows = learner.model.eval(), learner.objective.valid
    logits = torch.cat([model(input_ids=torch.tensor([list(row)])).logits for row in rows])
    assert after == [LABELS[place] for place in logits.argmax(-1)]
    expected = sum(a == b for a, b in zip(after, VALID.labels, strict=True)) / len(VALID)
    assert vector.info["scores"]["accuracy"]["after"] == pytest.approx(expected)


def test_one_file_in_a_list_is_the_training_of_that_file(base, language_vector, tmp_path):
    for source in (None, language_vector):
        one = learn(base, tmp_path / f"a{source is None}", train=FIRST, source=source)
        same = learn(base, tmp_path / f"b{source is None}", train=[FIRST], source=[source])
        assert one.digest() == same.digest()
        assert all(one.head[name].equal(same.head[name]) for name in one.head)
        assert {**one.info, "versions": 0} == {**same.info, "versions": 0}
        assert "trained_on" not in one.info["corpus"]


def test_a_vector_for_every_step_is_a_vector_that_stays_on(base, language_vector, tmp_path, monkeypatch, noted):
    """Also with dropout: both draw the same numbers."""
    settings = {"method": "lt-sft", "evaluate_every": 6}
    stays = learn(base, tmp_path / "a", train=[FIRST], source=[language_vector], settings=settings)
    monkeypatch.setattr(task, "shared_vector", lambda sources: (None, list(sources)))
    switched = learn(base, tmp_path / "b", train=[FIRST], source=[language_vector], settings=settings)
    assert noted[0].objective.parts[0].changes is None
    assert noted[1].objective.parts[0].changes
    for name, positions in stays.positions.items():
        assert positions.equal(switched.positions[name])
        torch.testing.assert_close(stays.values[name], switched.values[name], rtol=1e-3, atol=2e-6)


def test_files_of_one_language_start_from_its_vector(base, language_vector, tmp_path, noted):
    vector = learn(base, tmp_path / "v", source=[language_vector, language_vector])
    assert [part.changes for part in noted[0].objective.parts] == [None, None]
    assert [source["source"] for source in vector.info["corpus"]["trained_on"]] == ["min language vector"] * 2


def test_a_stopped_run_goes_on_bit_for_bit_in_both_phases(base, language_vector, tmp_path):
    calls = itertools.count()
    whole = learn(base, tmp_path / "whole", source=[None, language_vector], should_stop=lambda: next(calls) < 0)
    total, phases = next(calls), set()
    for stop in (total // 4, total * 3 // 4, total * 7 // 8):
        asked = itertools.count()
        with pytest.raises(TrainingStopped) as stopped:
            learn(base, tmp_path / f"cut{stop}", source=[None, language_vector],
                  should_stop=lambda a=asked, s=stop: next(a) >= s)  # fmt: skip
        phases |= {phase for phase in ("dense", "sparse") if f"in the {phase} phase" in str(stopped.value)}
        resumed = learn(base, tmp_path / f"cut{stop}", source=[None, language_vector])
        assert resumed.digest() == whole.digest()
        assert all(resumed.head[name].equal(whole.head[name]) for name in whole.head)
    assert phases == {"dense", "sparse"}


def test_other_sources_in_the_same_folder_are_refused(base, language_vector, tmp_path):
    begun = tmp_path / "v" / "run" / "settings.json"
    with pytest.raises(TrainingStopped):
        learn(base, tmp_path / "v", source=[None, language_vector], should_stop=begun.is_file)
    for other in ({"source": [language_vector, None]}, {"source": None}, {"source": [None, language_vector], "repeat": [1, 3]}):  # fmt: skip
        with pytest.raises(RecipeError, match="source"):
            learn(base, tmp_path / "v", **other)


def test_an_epoch_passes_over_each_file_as_often_as_wished(base, tmp_path, noted):
    learn(base, tmp_path / "v", repeat=[1, 3])
    objective = noted[0].objective
    first, second = (-(-len(rows) // 4) for rows in (FIRST, SECOND))
    steps = first + 3 * second
    assert objective.recipe.steps(noted[0].examples, "dense") == 6  # max_steps
    assert objective.examples == 4 * steps
    rows = [row for step in range(steps) for row in objective._orders["dense"](step)]
    assert sorted(rows) == sorted([*range(len(FIRST)), *3 * list(range(len(FIRST), len(FIRST) + len(SECOND)))])
    kinds = [objective._orders["dense"](step)[0] < len(FIRST) for step in range(steps)]
    assert kinds != sorted(kinds, reverse=True)  # the files are mixed
    assert kinds != [objective._orders["dense"](step)[0] < len(FIRST) for step in range(steps, 2 * steps)]


def test_rows_are_held_out_of_the_first_file_and_left_out_of_the_others(base, tmp_path):
    said = []
    vector = learn(base, tmp_path / "v", train=[FIRST, table(tiny.labelled_rows(), "copy.csv")], valid=None,
                   on_event=said.append)  # fmt: skip
    held = vector.info["corpus"]["valid_rows"]
    assert vector.info["corpus"]["rows"] == 2 * (len(FIRST) - held)
    assert any(f"copy.csv: {held} rows left out" in event.message for event in said)


def test_a_label_whose_rows_are_all_held_out_of_the_first_file_is_learned_from_the_others(base, tmp_path):
    # The only text of "mixed" in the first file has another label too, with which it is held out.
    first = table([(f"word{n}", LABELS[n % 2]) for n in range(8)] + [("word0", "mixed")], "first.csv")
    second = table([(f"{MARK} {n}", label) for n, label in enumerate([*LABELS, "mixed"])], "second.csv")
    held = (hold_out(first, 0.3, seed)[0] for seed in range(40))
    seed = next(seed for seed, train in enumerate(held) if "mixed" not in train.labels)
    vector = learn(base, tmp_path / "v", train=[first, second], valid=None, settings={"seed": seed, "hold_out": 0.3})
    assert vector.labels == ["mixed", *LABELS]


def test_the_vector_and_its_card_name_every_source(base, language_vector, tmp_path):
    vector = learn(base, tmp_path / "v", source=[None, language_vector], repeat=[1, 2])
    assert vector.info["corpus"]["trained_on"] == [
        {"file": "first.csv", "rows": 96, "repeat": 1, "source": None, "lexicons": []},
        {"file": "second.csv", "rows": 24, "repeat": 2, "source": "min language vector", "lexicons": []},
    ]
    card = (tmp_path / "v" / "README.md").read_text(encoding="utf-8")
    assert "- labelled file: `first.csv`, 96 rows\n" in card
    assert "- labelled file: `second.csv`, 24 rows, 2 passes in an epoch, with the vector `min language vector`" in card


def test_files_that_do_not_fit_each_other_are_refused(base, task_vector, tmp_path):
    other = table([("the day", "good"), ("the night", "bad")], "other.csv")
    with pytest.raises(TableError, match=r"other\.csv has labels that first\.csv lacks \(bad, good\)"):
        learn(base, tmp_path / "v", train=[FIRST, other])
    pairs = table([(("the day", "the night"), "positive")], "pairs.csv", pairs=True)
    with pytest.raises(TableError, match=r"first\.csv has single texts, but pairs\.csv has pairs"):
        learn(base, tmp_path / "v", train=[FIRST, pairs])
    with pytest.raises(VectorError, match="a language vector is needed"):
        learn(base, tmp_path / "v", source=[None, task_vector])
    for wrong in ({"source": [None]}, {"repeat": [1, 2, 3]}, {"repeat": [0, 1]}, {"repeat": [1, 2.5]}, {"train": []}):
        with pytest.raises(RecipeError):
            learn(base, tmp_path / "v", **wrong)
    assert not (tmp_path / "v").exists()


def test_labels_are_spelt_as_in_the_first_file(base, tmp_path):
    loud = table([(text, label.upper()) for text, label in zip(SECOND.texts, SECOND.labels, strict=True)], "loud.csv")
    assert learn(base, tmp_path / "v", train=[FIRST, loud]).labels == LABELS


def test_words_are_replaced_in_the_training_rows_alone_and_coverage_is_said_before(base, tmp_path, noted):
    lexicon, said = tmp_path / "list.csv", []
    tiny.write_csv(lexicon, ("word", "translation"), [("the", "word1"), ("is", "word2"), ("was", "word3")])
    vector = learn(base, tmp_path / "v", train=FIRST, lexicon=lexicon, settings={"lexicon_share": 1.0},
                   on_event=said.append)  # fmt: skip
    objective, decode = noted[0].objective, base.tokenizer.decode
    assert all(decode(row, skip_special_tokens=True).startswith("word1 ") for row in objective.train)
    assert all(decode(row, skip_special_tokens=True).startswith("this the ") for row in objective.valid)
    first_step = next(n for n, event in enumerate(said) if event.phase == "dense")
    assert any("list.csv translates 50.0% of the words" in event.message for event in said[:first_step])
    assert vector.info["corpus"]["trained_on"][0]["lexicons"] == ["list.csv"]
    again = learn(base, tmp_path / "w", train=FIRST, lexicon=[lexicon], settings={"lexicon_share": 1.0})
    assert again.digest() == vector.digest()
    assert learn(base, tmp_path / "x", train=FIRST).digest() != vector.digest()


def test_another_word_list_in_the_same_folder_is_refused(base, tmp_path):
    lists = [tiny.write_csv(tmp_path / f"{n}.csv", ("word", "translation"), [("the", f"word{n}")]) for n in (1, 2)]
    with pytest.raises(TrainingStopped):
        learn(base, tmp_path / "v", train=FIRST, lexicon=lists[0],
              should_stop=(tmp_path / "v" / "run" / "settings.json").is_file)  # fmt: skip
    with pytest.raises(RecipeError, match="sources"):
        learn(base, tmp_path / "v", train=FIRST, lexicon=lists[1])
    note = json.loads((tmp_path / "v" / "run" / "settings.json").read_text())
    assert note["lexicon_share"] is None  # as if an older version had begun the run


def test_files_are_named_by_as_many_folders_as_tell_them_apart():
    assert short_names(["a/A.csv", "B.csv.gz"]) == ["A", "B"]
    assert short_names(["/x/ace/train.csv", "/x/ban/train.csv", "/x/smsa/train.csv"]) == [
        "ace/train", "ban/train", "smsa/train",
    ]  # fmt: skip
    with pytest.raises(RecipeError, match="given twice"):
        short_names(["A.csv", "A.csv"])


def test_values_are_given_by_the_names_of_files():
    assert by_name("--source", ["A=ind", "B=x=y"], ["A", "B"]) == {"A": ["ind"], "B": ["x=y"]}
    assert by_name("--source", ["ind"], ["A"]) == {"A": ["ind"]}
    assert by_name("--source", ["C=ind"], ["A"]) == {"A": ["C=ind"]}  # a folder can be called so
    with pytest.raises(RecipeError, match="Did you mean 'train'"):
        by_name("--source", ["trian=ind"], ["train", "rows"])
    with pytest.raises(RecipeError, match="write it as A=ind or B=ind"):
        by_name("--source", ["ind"], ["A", "B"])


def test_vectors_of_another_base_are_refused(other_folder, language_vector, tmp_path):
    with pytest.raises(VectorError, match="other-base"):
        learn(load_base(other_folder), tmp_path / "v", source=[None, SparseVector.load(language_vector)])
