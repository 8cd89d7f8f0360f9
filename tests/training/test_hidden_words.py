"""Hidden words are whole words of held-out lines, guessed at every evaluation; they change no vector and stand in none."""

import pytest
import tiny
import torch

import deftx
from deftx.core.events import Event, Listener, WordGuess
from deftx.data.text import split
from deftx.models.bases import load_base
from deftx.training import language
from deftx.training.hidden_words import SENTENCES, HiddenWords
from deftx.training.language import learn_language

LINES = [
    "Ajengane jaen pisan ring warung puniki.", "Titiang seneng “ring” genah puniki!", "Tas ini kuat, ringan, dan muat banyak buku.",
    "Pelayanannya ramah sekali dan cepat", "Motifnya menggambarkan perahu, ikan, dan bintang.", "Baterai telepon baru saya cepat habis.",
]  # fmt: skip


def guessed(base, lines, seed=42, length=64):
    hidden = HiddenWords(lines, base.tokenizer, length, seed)
    hidden.guess(base.model.eval())
    return hidden.guesses


@pytest.fixture(scope="module")
def bundled():
    return load_base(deftx.BUNDLED_BASE)


def test_each_sentence_has_one_whole_word_of_three_letters_hidden(bundled):
    found = guessed(bundled, LINES)
    assert len(found) == SENTENCES
    assert len({one.word for one in found}) == SENTENCES
    for one in found:
        assert f"{one.before}{one.word}{one.after}" in LINES
        assert len(one.word) >= 3
        assert one.word.isalpha()
        assert not one.before[-1:].isalnum()
        assert not one.after[:1].isalnum()
        assert one.guess


def test_the_guess_is_what_the_whole_model_puts_at_the_mask(bundled):
    tokenizer, mask = bundled.tokenizer, bundled.tokenizer.mask_token_id
    for one in guessed(bundled, LINES):
        encoded = tokenizer(f"{one.before}{one.word}{one.after}", return_tensors="pt")
        inputs = encoded["input_ids"]
        (place,) = [n for n, token in enumerate(inputs[0]) if tokenizer.decode([token]).strip() == one.word][:1]
        inputs[0, place] = mask
        with torch.no_grad():
            logits = bundled.model(input_ids=inputs, attention_mask=encoded["attention_mask"]).logits[0, place]
        assert tokenizer.decode([int(logits.argmax())]).strip() == one.guess


def test_the_seed_draws_the_words_and_a_long_line_is_cut(bundled):
    assert guessed(bundled, LINES) == guessed(bundled, LINES)
    assert any(guessed(bundled, LINES, seed) != guessed(bundled, LINES) for seed in range(3))
    (one,) = guessed(bundled, [" ".join(LINES)], length=12)
    assert len(f"{one.before}{one.word}{one.after}".split()) == 20


@pytest.mark.parametrize("lines", [[], ["two words"], ["12 34 56 78 90"], ["ꦲꦏ ꦲꦏ ꦲꦏ ꦲꦏ ꦲꦏ"], ["di ke yo ka ba"]])
def test_without_such_words_nothing_is_guessed(bundled, lines):
    assert guessed(bundled, lines) == ()


def test_guesses_come_with_every_evaluation_and_change_no_vector(base, tmp_path, monkeypatch):
    corpus = tmp_path / "text.txt"
    corpus.write_text("\n".join(tiny.sentences(200)) + "\n")
    recipe, said = tiny.language_recipe(), []
    with_guesses = learn_language(corpus, base, recipe, out=tmp_path / "v", on_event=said.append)
    measured = [event for event in said if event.evaluation is not None]
    held_out = split(corpus.read_text().splitlines(), recipe.hold_out, recipe.seed)[1]
    assert {event.phase for event in measured} == {"evaluate", "dense", "sparse"}
    for event in measured:
        assert len(event.guesses) == SENTENCES
        assert all(f"{one.before}{one.word}{one.after}" in held_out for one in event.guesses)
    assert not [event for event in said if event.guesses and event.evaluation is None]
    monkeypatch.setattr(language.HiddenWords, "guess", lambda self, model: None)
    without = learn_language(corpus, base, recipe, out=tmp_path / "w")
    assert with_guesses.digest() == without.digest()
    assert with_guesses.info["scores"] == without.info["scores"]
    written = "".join(path.read_text(errors="replace") for path in (tmp_path / "v").iterdir())
    for one in measured[-1].guesses:
        assert one.before + one.word + one.after not in written
        assert "guess" not in written


def test_a_listener_is_told_the_guesses_with_evaluations_alone(base):
    hidden, said = HiddenWords(tiny.sentences(20), base.tokenizer, 16, 1), []
    listener = hidden.told_to(Listener(said.append, lambda: True))
    hidden.guess(base.model)
    listener.on_event(Event("dense", 1, 2, evaluation=0.0))
    listener.on_event(Event("dense", 1, 2, loss=1.0))
    assert [len(event.guesses) for event in said] == [SENTENCES, 0]
    assert isinstance(said[0].guesses[0], WordGuess)
    assert listener.should_stop()
