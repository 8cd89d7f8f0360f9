"""The endpoints for files: ``classify_file`` and ``evaluate``."""

from pathlib import Path
from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError, unknown_name
from ui import strings
from ui.api.arguments import OBJECT, OBJECT_OF_TEXTS, TEXT, TEXTS_OR_ALL, check
from ui.classify import file_tasks
from ui.classify.combination import Combination
from ui.classify.score_views import title
from ui.classify.scoring import Scores, Wanted
from ui.current import current_workspace
from ui.shared.encoding_form import in_utf8
from ui.shared.errors import refusals

OPTIONS = ("table", "columns", "encoding", "labels", "languages")


def build() -> None:
    """Add the endpoints; docs/api.md shows how to use them."""
    _offer_classifying()
    _offer_scoring()


def _offer_classifying() -> None:
    def classify_file(
        file: str | None, task: str, language: str, columns: dict[str, str] | None, encoding: str | None = None
    ) -> tuple:
        """Classify the texts of a file; return the CSV that the command line writes, and counts.

        ``columns`` maps standard column names to the file's, as in {"text": "review"}; ``encoding`` is that of a file that is
        not in UTF-8.
        """
        workspace = current_workspace()
        with refusals():
            if not file:
                raise DeftxError(strings.NEEDS_FILE)
            check(OBJECT_OF_TEXTS, columns=columns)
            check(TEXT, encoding=encoding)
            path, combination = Path(in_utf8(file, encoding)), Combination.of(task, [(language, 1.0)])
            found = workspace.background_tasks.wait(workspace.background_tasks.start(
                lambda on_share: file_tasks.classify_file(workspace, path, columns, combination, on_share)))  # fmt: skip
            counted = {
                "n": len(found.rows.texts),
                "cut": found.cut,
                "labels": found.counts,
                "task": found.task,
                "language": found.language,
            }
            return str(workspace.served_files.copy(found.file(), workspace.owner)), counted

    file, task, language = gr.File(), gr.Textbox(), gr.Textbox()
    columns, encoding, csv, counted = gr.JSON(), gr.Textbox(), gr.File(), gr.JSON()
    gr.Button().click(
        classify_file, [file, task, language, columns, encoding], [csv, counted], api_name="classify_file",
        concurrency_limit=None,
    )  # fmt: skip


def _offer_scoring() -> None:
    def evaluate(file: str | None, task: str, language: str, options: dict[str, Any] | None) -> dict[str, Any]:
        """Score the vectors on an uploaded labelled file, which is stored, or on a stored one: options["table"].

        ``options``: table, columns ({"text": "review"}), encoding (of the file), labels ({"pos": "positive", "mixed": ""}; "" leaves rows out),
        languages (keys of language vectors to compare, or true for all that fit the base).
        """
        workspace = current_workspace()
        with refusals():
            check(OBJECT, options=options)
            chosen = options or {}
            for name in set(chosen) - set(OPTIONS):
                raise unknown_name("The option", name, OPTIONS)
            check(OBJECT_OF_TEXTS, columns=chosen.get("columns"), labels=chosen.get("labels"))
            check(TEXT, encoding=chosen.get("encoding"))
            check(TEXTS_OR_ALL, languages=chosen.get("languages"))
            table = str(chosen.get("table") or "")
            if file:
                table = workspace.tables.add(in_utf8(file, chosen.get("encoding")), chosen.get("columns"))
            if not table:
                raise DeftxError(strings.NEEDS_TABLE_TO_SCORE)
            combinations = workspace.scoring.combinations(
                Combination.of(task, [(language, 1.0)]), chosen.get("languages") or ()
            )
            wanted = Wanted(table, dict(chosen.get("labels") or {}), task, combinations)
            workspace.scoring.read(wanted)
            return describe(workspace.background_tasks.wait(workspace.background_tasks.start(
                lambda on_share: workspace.scoring.score(wanted, on_share))))  # fmt: skip

    labelled, task, language, options, scores = gr.File(), gr.Textbox(), gr.Textbox(), gr.JSON(), gr.JSON()
    gr.Button().click(
        evaluate, [labelled, task, language, options], scores, api_name="evaluate", concurrency_limit=None
    )


def describe(found: Scores) -> dict[str, Any]:
    """Return scores as plain data, one entry per combination in the order of the page's table."""
    combinations = [
        {"kind": one.kind, "language": one.language, "title": title(one), **line.to_dict()}
        for one, line in zip(found.wanted.combinations, found.lines, strict=True)
    ]
    return {
        "table": found.wanted.table, "n": len(found.table), "labels": found.predictions[0].labels,
        "cut": found.cut, "task": found.task, "seen_in_training": found.shared, "notes": list(found.table.notes),
        "combinations": combinations,
    }  # fmt: skip
