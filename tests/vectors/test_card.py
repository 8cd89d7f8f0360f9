"""The model card says what a vector is; nothing that a person typed into it can become markup."""

import json

import pytest
from tiny_vectors import card_of, make_vector

from deftx.core.errors import HubError
from deftx.core.names import base_name
from deftx.vectors.card_data import checked_license
from deftx.vectors.card_markup import code

TASK = {"kind": "task", "labels": ["negatif", "positif"], "language": "ind"}


def front_matter(card):
    lines = card.split("---\n")[1].splitlines()
    return {key: json.loads(value) for key, value in (line.split(": ", 1) for line in lines)}


def test_front_matter_is_what_the_hub_reads():
    base = {"name": "lab/tiny-base", "revision": "0123abc", "fingerprint": "ab" * 32}
    card = card_of(make_vector(base=base, license=" CC BY-4.0"))
    assert card.startswith("---\n")
    assert front_matter(card) == {
        "library_name": "deftx",
        "tags": ["deft-x", "sparse-fine-tuning", "cross-lingual-transfer"],
        "base_model": "lab/tiny-base",
        "language": ["min"],
        "license": "cc-by-4.0",
    }
    assert not {"license", "base_model"} & set(front_matter(card_of(make_vector())))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("CC-BY-4.0", "cc-by-4.0"), (" Apache 2.0\n", "apache-2.0"), ("mit", "mit"), ("", None), (None, None)],
)
def test_a_licence_is_written_as_the_hub_does(text, expected):
    assert checked_license(text) == expected


def test_what_is_no_licence_is_refused():
    with pytest.raises(HubError, match=r"'see my\\n\*page\*' is not the id of a licence"):
        checked_license("see my\n*page*")


def test_front_matter_is_yaml_to_a_yaml_parser():
    yaml = pytest.importorskip("yaml")
    card = card_of(make_vector(language="no"))  # Norwegian, which YAML 1.1 would read as false
    assert yaml.safe_load(card.split("---\n")[1]) == front_matter(card)
    assert front_matter(card)["language"] == ["no"]


def test_card_tells_base_method_settings_scores_mask_and_use():
    base = {"name": "xlm-roberta-base", "revision": "0123abc", "fingerprint": "ab" * 32}
    card = card_of(
        make_vector(
            base=base,
            method="deft-x",
            rank={"strategy": "variance:0.9", "ranks": {}},
            k=7_667_712,
            seed=42,
            scores={"masked_lm_loss": {"before": 5.12345, "after": 3.2}},
            mask={"embeddings": 25, "attention": 75},
            corpus={"lines": 12_345, "unknown": 0.0123456, "script": "Latin"},
        )
    )
    for expected in (
        "`xlm-roberta-base`",
        "`0123abc`",
        "`deft-x`",
        "`variance:0.9`",
        "7,667,712",
        "seed: 42",
        "12,345",
    ):
        assert expected in card
    assert "| masked-LM loss on held-out text, in nats (lower is better) | 5.1235 | 3.2000 |" in card
    assert "| `attention` | 75 | 75.0% |" in card
    assert "deftx.compose(base, task=" in card
    assert "python -m deftx classify --task" in card
    assert "2505.15090" in card


def test_card_of_a_task_vector_names_its_labels_and_scores():
    scores = {"f1": {"before": 0.2, "after": 0.81234}, "accuracy": {"before": 0.3, "after": None}, "odd": 3}
    card = card_of(make_vector(scores=scores, **TASK))
    assert "labels: `negatif`, `positif`" in card
    assert "| macro-F1 on the validation set (0 to 1) | 0.2000 | 0.8123 |" in card
    assert "| accuracy on the validation set (0 to 1) | 0.3000 |  |" in card


def test_card_leaves_out_what_is_not_known():
    card = card_of(make_vector(language=None, k=None))
    assert "None" not in card
    assert "## What it achieves" not in card
    assert "## Which weights change" not in card


HOSTILE = 'x`\n---\n# <img src=x onerror=alert(1)> [a](javascript:b) | "\x1b[31m\u202e'


def test_what_a_person_typed_stays_text():
    base = {"name": HOSTILE, "revision": HOSTILE, "fingerprint": HOSTILE}
    hostile = {
        "name": HOSTILE, "language": HOSTILE, "base": base, "method": HOSTILE, "license": HOSTILE, "ablate": HOSTILE,
        "rank": {"strategy": HOSTILE, "ranks": {}}, "mask": {HOSTILE: 1}, "corpus": {HOSTILE: 2},
        "scores": {HOSTILE: {"before": 1, "after": 2}},
    }  # fmt: skip
    card = card_of(make_vector(**{**TASK, "labels": [HOSTILE, "b"], **hostile}))
    plain = card_of(make_vector(**{**TASK, "labels": ["a", "b"]}))
    assert set(front_matter(card)) == {"library_name", "tags"}
    expected = {line for line in plain.splitlines() if line.startswith("#")}
    expected |= {f"# {code(HOSTILE)}", "## What it achieves", "## Which weights change"}
    assert {line for line in card.splitlines() if line.startswith("#")} <= expected
    for line in card.splitlines():
        if "```" in line or line.startswith("base = "):
            assert line.startswith(("```", "base = "))
            continue
        outside = "".join(line.split("`")[::2])  # what is not in a code span
        assert line.count("`") % 2 == 0
        assert not any(mark in outside for mark in ("<", "javascript", "onerror", "\x1b", "\u202e"))


def test_code_spans_hold_any_text():
    assert code("a`b|c\nd\te") == "`a'b¦c d e`"
    assert code("") == "` `"


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("xlm-roberta-base", "xlm-roberta-base"),
        ("FacebookAI/xlm-roberta-base", "FacebookAI/xlm-roberta-base"),
        ("/home/someone/models/my-base/", "my-base"),
        ("C:\\Users\\someone\\my-base", "my-base"),
        ("~/my-base", "my-base"),
    ],
)
def test_a_folder_on_somebodys_disk_is_not_published(name, published):
    assert base_name(name) == published
    assert "someone" not in card_of(make_vector(base={"name": name, "fingerprint": "ab" * 32}))
