"""The HTML of hidden words: what a language model guessed for them before its training, and what it guesses now."""

from html import escape

from deftx.core.events import WordGuess
from deftx.jobs import Job, progress_of, state_of
from ui import strings
from ui.current import current_workspace
from ui.shared import views

GAP = "___"


def guesses(job: Job) -> str:
    """Show the hidden words of a training run with their guesses; empty without any, and for anybody but the owner.

    The sentences are the owner's text, which an admin who sees the training run does not see.
    """
    progress = progress_of(job)
    latest = progress.guesses
    shown = latest or progress.first_guesses
    if not shown or job.owner != (current_workspace().store.owner or ""):
        return ""
    first = {_sentence(one): one.guess for one in progress.first_guesses}
    said = strings.GUESSES_RIGHT.format(
        right=sum(map(_is_right, latest)), all=len(shown), before=sum(map(_is_right, progress.first_guesses))
    )
    after = strings.GUESS_AT_THE_END if state_of(job).name == "finished" else strings.GUESS_NOW
    heads = (strings.GUESS_SENTENCE, strings.GUESS_WORD, strings.GUESS_BEFORE, after)
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(_sentence(one))}</th><td>{escape(one.word)}</td>'
        f"<td>{_guess(one.word, first.get(_sentence(one), ''))}</td>"
        f"<td>{_guess(one.word, one.guess if latest else '')}</td></tr>"
        for one in shown
    )
    table = f'<div class="scroll"><table class="numbers texts"><thead><tr>{head}</tr></thead>{rows}</table></div>'
    counted = views.paragraph(said, "said") if latest else ""
    return f"<h4>{escape(strings.GUESSES)}</h4>{counted}{table}{views.paragraph(strings.GUESSES_HINT, 'quiet')}"


def _sentence(guess: WordGuess) -> str:
    return f"{guess.before}{GAP}{guess.after}"


def _is_right(guess: WordGuess) -> bool:
    return guess.guess.casefold() == guess.word.casefold()


def _guess(word: str, said: str) -> str:
    """Return a guess; a right one is bold and has a tick."""
    return f"<b>{escape(said)} ✓</b>" if said and said.casefold() == word.casefold() else escape(said)
