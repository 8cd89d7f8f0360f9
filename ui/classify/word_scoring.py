"""Score combinations of vectors on a labelled file of words with tags, for the page; without its display."""

from dataclasses import dataclass

from deftx.classify.tag_scores import tags_lacking
from deftx.classify.tagger import tagger
from deftx.core.errors import TableError
from deftx.core.tag_evaluation import TagEvaluation, evaluate_tags, metrics_for
from deftx.data.token_rows import TokenTable
from deftx.data.token_tables import read_tokens
from ui import strings
from ui.classify.other_languages import OtherLanguage, other_language
from ui.classify.scoring import Wanted, shared_texts
from ui.library import vector_index
from ui.shared.background import OnShare
from ui.workspace import Workspace


@dataclass(frozen=True)
class WordScores:
    """The scores of each combination by metric, in the order of ``wanted``, and what a reader must know."""

    wanted: Wanted
    task: str  # the name of the task vector
    table: TokenTable
    scores: list[dict[str, TagEvaluation]]  # the metric of the task first
    lacking: list[str]  # tags of the file that the task lacks
    shared: int | None  # sentences that are in the task's training files; None if unknown
    other: OtherLanguage | None = None


def read_words(workspace: Workspace, wanted: Wanted) -> tuple[TokenTable, list[str]]:
    """Read the labelled file; return it and those of its tags that the task lacks.

    Raises:
        DeftxError: It has sentences with labels, or only one of the two marks names.
    """
    if not workspace.tables.has_words(wanted.table):
        raise TableError(strings.SENTENCES_NOT_HERE.format(name=wanted.table))
    table = read_tokens(workspace.tables.path(wanted.table), columns=workspace.tables.columns(wanted.table))
    task = vector_index.find(workspace.store, "task", wanted.task)
    return table, tags_lacking(task.label, vector_index.describe(task.folder).get("labels") or [], table)


def score(workspace: Workspace, wanted: Wanted, on_share: OnShare) -> WordScores:
    """Score every combination on the same sentences."""
    table, lacking = read_words(workspace, wanted)
    scores = []
    for done, one in enumerate(wanted.combinations):
        chosen = workspace.composing.find(one.vectors)
        made = tagger(workspace.composing.composed_of(one.vectors, chosen.states), chosen.task)
        predicted = made.tag_words(
            table.sentences, lambda share, done=done: on_share((done + share) / len(wanted.combinations))
        )
        metrics = metrics_for(made.labels)
        scores.append({metric: evaluate_tags(metric, table.tags, predicted) for metric in metrics})
    label = vector_index.find(workspace.store, "task", wanted.task).label
    shared = shared_texts(workspace, wanted.task, table.texts)
    other = other_language(workspace, wanted.first.vectors, table.texts)
    return WordScores(wanted, label, table, scores, lacking, shared, other)
