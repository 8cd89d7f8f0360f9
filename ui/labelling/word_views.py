"""The HTML of labelling words: a sentence whose words are buttons, and the score of the classifier so far."""

from collections.abc import Mapping
from html import escape

from deftx.core.tags import spans
from deftx.labelling.word_session import Correction, WordSession
from deftx.labelling.word_store import word_score
from ui import strings
from ui.corpus import corpora
from ui.shared import views


def tags_of(session: WordSession, corrected: Mapping[int, Correction], place: int) -> tuple[str, ...]:
    """Return the tags of a sentence as they are now; none after the last sentence."""
    if place >= len(session.sentences):
        return ()
    return corrected[place].tags if place in corrected else session.sentences[place].tags


def card(session: WordSession, corrected: Mapping[int, Correction], place: int) -> str:
    """Show a sentence with its words as buttons; after the last one, say that all are done."""
    count = len(session.sentences)
    done = sum(one.done for one in corrected.values())
    said = strings.LABELLING_PLACE.format(done=done, count=count)
    made = strings.LABELLING_OF.format(vectors=session.made_of, text=corpora.title_of(session.text))
    under = f'<div class="under-bar"><span>{escape(said)}</span><span>{escape(made)}</span></div>'
    bar = views.bar(done / count, strings.LABELLING_PROGRESS) + under
    back = _button(f"{place}:back", strings.WORDS_BACK) if place else ""
    if place >= count:
        return f'{bar}<p class="in-words">{escape(strings.WORDS_DONE)}</p><div class="marks" role="group">{back}</div>'
    following = _button(f"{place}:next", strings.WORDS_NEXT)
    return (
        f'{bar}<p class="words">{_words(session, tags_of(session, corrected, place), place)}</p>'
        f'<div class="marks" role="group" aria-label="{escape(strings.WORD_LABELLING)}">{following}{back}</div>'
    )


def result(session: WordSession, corrected: Mapping[int, Correction]) -> str:
    """Show the score of the classifier on the finished sentences drawn at random, with a line for each label."""
    found = word_score(session, corrected)
    if found is None:
        return views.paragraph(strings.WORDS_NO_SCORE, "quiet")
    ends = strings.INTERVAL_ENDS.format(low=f"{found.low:.4f}", high=f"{found.high:.4f}")
    said = f"{strings.METRIC_NAMES[found.metric]}: {found.score:.4f} ({ends})"
    about = strings.WORDS_SCORED.format(words=found.n, sentences=found.sentences)
    heads = (strings.ANSWER_LABEL, strings.LABEL_PRECISION, strings.LABEL_RECALL, strings.LABEL_F1, strings.CORRECTED)
    rows = [(line.label, f"{line.precision:.4f}", f"{line.recall:.4f}", f"{line.f1:.4f}", f"{line.gold:,}")
            for line in found.lines]  # fmt: skip
    return views.in_words([said]) + views.paragraph(about, "quiet") + views.table(heads, rows)


def _words(session: WordSession, tags: tuple[str, ...], place: int) -> str:
    """Return the text with its words as buttons; a label stands after the last word of its mark."""
    sentence = session.sentences[place]
    if session.entities:
        labels = {at: span.label for span in spans(tags) for at in range(span.start, span.end)}
        last = {span.end - 1 for span in spans(tags)}
    else:
        labels = dict(enumerate(tags))
        last = set(labels)
    parts, end = [], 0
    for at, (start, after) in enumerate(sentence.words):
        parts.append(escape(sentence.text[end:start]))
        word, label = sentence.text[start:after], labels.get(at, "")
        sup = f"<sup>{escape(label)}</sup>" if at in last else ""
        named = strings.WORD_MARKED.format(word=word, label=label or strings.NO_NAME)
        parts.append(
            f'<button type="button" class="{"for" if label else "word"}" style="--weight:1" data-pick="{place}:word:{at}" '
            f'aria-label="{escape(named)}">{escape(word)}{sup}</button>'
        )
        end = after
    return "".join([*parts, escape(sentence.text[end:])])


def _button(pick: str, text: str) -> str:
    return f'<button type="button" data-pick="{pick}">{escape(text)}</button>'
