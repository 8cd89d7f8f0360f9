"""What speaks against trusting an answer: too few words, parts that cannot be read, another language, a narrow margin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deftx.classify.classifier import Classifier
from deftx.core.errors import DeftxError
from deftx.data.coverage import unread_share
from deftx.data.languages import Languages, load_languages
from deftx.data.writing_systems import main_writing, script_shares, word_count
from deftx.models.batches import Text

# Kinds of doubt, with the sentence for each. The values in braces are those of ``Doubt.values``.
SENTENCES = {
    "short": "Too short to tell: {words} of at least {least} words.",
    "unread": "The model cannot read {share:.0%} of this text.",
    "script": "The script is {found}, not {expected}.",
    "language": "This looks like {found}, not {expected}.",
    "margin": "Not sure: {first} {first_share:.0%}, {second} {second_share:.0%}.",
}


# As many answers are right on Javanese and Sundanese, and four of five answers are given (docs/calibration.md).
WANTED = 0.85


@dataclass(frozen=True)
class Limits:
    """When a doubt is stated. docs/testing.md gives the figures behind each value."""

    words: int = (
        3  # a text with fewer is too short: they fit several languages, and answers are little better than guesses
    )
    unread: float = 0.3  # share of the characters; texts in the bundled languages stay below it
    lead: float = 0.2  # nats per n-gram by which another language must lead, beyond chance (Languages.lead)
    margin: float = 0.3  # between the two highest probabilities, for a task vector without a calibration
    wanted: float = WANTED  # accuracy of the answers that are not in doubt, for a task vector with a calibration


@dataclass(frozen=True)
class Doubt:
    """One reason, of a kind of SENTENCES, with the values of its sentence; languages also by their codes."""

    kind: str
    values: Mapping[str, str | int | float | tuple[str, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the sentence in English."""
        return SENTENCES[self.kind].format(**self.values)


def doubts(
    classifier: Classifier,
    texts: Sequence[Text],
    probabilities: Sequence[Sequence[float]],
    *,
    languages: Languages | None = None,
    limits: Limits = Limits(),
) -> list[tuple[Doubt, ...]]:
    """Return for each text what speaks against trusting its answer, the most serious reason first; often nothing.

    Args:
        classifier: The classifier. Another language than its ``languages`` is named only if all of these have a profile.
        texts: Sentences, or (premise, hypothesis) pairs.
        probabilities: What ``classify`` returned for them.
        languages: The language profiles; the bundled ones by default.
        limits: When a doubt is stated.

    Raises:
        DeftxError: If the numbers of texts and of probabilities differ.
    """
    if len(texts) != len(probabilities):
        raise DeftxError(f"There are {len(texts):,} texts, but probabilities of {len(probabilities):,}.")
    known = languages or load_languages()
    narrow = classifier.calibration.sure_from(limits.wanted) if classifier.calibration else limits.margin
    found = []
    for text, row in zip(texts, probabilities, strict=True):
        whole = text if isinstance(text, str) else " ".join(text)
        script = _script(whole, classifier.languages, known)
        reasons = (
            _short(whole, limits),
            _unread(whole, classifier, limits),
            script or _language(whole, classifier.languages, known, limits),
            _margin([float(share) for share in row], classifier.labels, narrow),
        )
        found.append(tuple(reason for reason in reasons if reason is not None))
    return found


def _short(text: str, limits: Limits) -> Doubt | None:
    words = word_count(text)
    return Doubt("short", {"words": words, "least": limits.words}) if words < limits.words else None


def _unread(text: str, classifier: Classifier, limits: Limits) -> Doubt | None:
    share = unread_share(text, classifier.base.tokenizer) or 0.0
    return Doubt("unread", {"share": share}) if share > limits.unread else None


def _script(text: str, expected: Sequence[str], known: Languages) -> Doubt | None:
    """Compare the writing system of most letters with those of the languages' profiles: a language without one can be told by it."""
    found = main_writing([text])
    writings = {known.writings.get(code) for code in expected}
    if found is None or not expected or None in writings or found in writings:
        return None
    most = next(iter(script_shares([text])))  # one script of those that are written mixed
    return Doubt("script", {"found": most, "expected": " / ".join(sorted(map(str, writings)))})


def _language(text: str, expected: Sequence[str], known: Languages, limits: Limits) -> Doubt | None:
    names = known.names()
    # A language without a profile could be what is found; few words fit several languages.
    if not expected or not set(expected) <= names.keys() or word_count(text) < limits.words:
        return None
    code, lead = known.lead(text, expected)
    if lead < limits.lead:
        return None
    values = {"found": names[code], "expected": " / ".join(names[code] for code in expected)}
    return Doubt("language", {**values, "found_code": code, "expected_codes": tuple(expected)})


def _margin(shares: Sequence[float], labels: Sequence[str], narrow: float) -> Doubt | None:
    ordered = sorted(zip(shares, labels, strict=True), reverse=True)[:2]
    if len(ordered) < 2 or ordered[0][0] - ordered[1][0] >= narrow:
        return None
    (first_share, first), (second_share, second) = ordered
    return Doubt(
        "margin",
        {"first": first, "first_share": first_share, "second": second, "second_share": second_share},
    )
