"""The endpoint ``compose``: classify texts with a combination of vectors and strengths."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.models.batches import Text
from deftx.vectors.merging import PAPER
from ui import strings
from ui.api.arguments import OBJECT, TEXT, check
from ui.classify.combination import Combination
from ui.classify.composing import check_text
from ui.current import current_workspace
from ui.shared.errors import refusals

MOST_TEXTS = 1_000  # they are classified within the request, which others wait for


def build() -> None:
    """Add the endpoint; docs/api.md shows how to use it."""

    def compose(
        task: str,
        texts: list[Any],
        languages: dict[str, float] | None = None,
        strength_task: float = 1.0,
        method: str = PAPER,
        parameters: dict[str, float] | None = None,
    ) -> dict[str, Any]:
        """Classify texts, or [premise, hypothesis] pairs, with vectors by key and strength; report what merging did."""
        with refusals():
            return answer(task, texts, languages, strength_task, method, parameters)

    gr.api(compose, api_name="compose", concurrency_id="classify")


def answer(
    task: str,
    texts: list[Any],
    languages: Mapping[str, float] | None,
    strength_task: float,
    method: str,
    parameters: Mapping[str, float] | None,
) -> dict[str, Any]:
    """Compose and classify; DeftxError for anything that is not possible."""
    if not isinstance(languages or {}, Mapping) or not isinstance(texts, list):
        raise DeftxError(strings.NOT_A_COMBINATION)
    if len(texts) > MOST_TEXTS:
        raise DeftxError(strings.TOO_MANY_TEXTS.format(count=f"{len(texts):,}", most=f"{MOST_TEXTS:,}"))
    check(TEXT, required=True, method=method)
    check(OBJECT, parameters=parameters)
    workspace = current_workspace()
    combination = Combination.of(task, (languages or {}).items(), strength_task, method, parameters)
    wanted = [_text(text) for text in texts]
    found = workspace.composing.find(combination)
    for text in wanted:
        check_text(found.entries[0].folder, text)
    with workspace.composing.classifier(found, len(wanted)) as classifier:
        probabilities = classifier.classify(wanted)
        if not probabilities.isfinite().all():
            raise DeftxError(strings.NOT_FINITE)
        rows = probabilities.tolist()
        return {
            "labels": classifier.labels,
            "probabilities": [dict(zip(classifier.labels, row, strict=True)) for row in rows],
            "cut": classifier.cut(wanted),
            "report": classifier.report.to_dict(),
        }


def _text(text: Any) -> Text:
    if isinstance(text, str):
        check(TEXT, text=text)
        return text
    if isinstance(text, list | tuple) and len(text) == 2 and all(isinstance(part, str) for part in text):
        check(TEXT, premise=text[0], hypothesis=text[1])
        return (text[0], text[1])
    raise DeftxError(strings.NO_TEXT.format(given=f"{text!r:.80}"))
