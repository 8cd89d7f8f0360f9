"""Suggest the name and the code of a language from its text."""

from deftx.core.errors import DeftxError
from deftx.data.languages import UNKNOWN
from ui.current import current_workspace

SURE = 0.6  # share of the lines above which a text is named after its language


def language_of_table(table: str | None) -> str:
    """Return the code of the language that most texts of a labelled file are in; empty if there is none."""
    if not table:
        return ""
    workspace = current_workspace()
    try:
        texts = workspace.tables.labelled(table).texts
        mix = workspace.facts.languages().mix([one if isinstance(one, str) else " ".join(one) for one in texts])
    except DeftxError:  # the Corpus section gives the reason
        return ""
    found, share = next(iter(mix.items()), (UNKNOWN, 0.0))
    return found if found != UNKNOWN and share >= SURE else ""


def of_text(text: str) -> tuple[str, str]:
    """Return the name and the code of the language that most of a text is in; both are empty if that is not known."""
    facts = current_workspace().facts
    try:
        found, share = next(iter(facts.mix(text).items()), (UNKNOWN, 0.0))
        names = facts.languages().names()
    except DeftxError:  # the Corpus section gives the reason
        return "", ""
    return (names[found], found) if found != UNKNOWN and share >= SURE else ("", "")
