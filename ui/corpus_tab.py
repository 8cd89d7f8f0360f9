"""Corpus: bring a text or choose one, and see at once what it is."""

from dataclasses import dataclass

import gradio as gr

from deftx.audit import Audit
from deftx.errors import DeftxError
from ui import strings, views
from ui.corpora import SAMPLE
from ui.studio import Studio

FILE_TYPES = [".txt", ".csv", ".tsv", ".jsonl", ".parquet", ".gz"]


@dataclass(frozen=True)
class CorpusTab:
    """The components that other sections use."""

    upload: gr.File
    choice: gr.Dropdown
    findings: gr.HTML
    to_train: gr.Button
    to_test: gr.Button


def build(studio: Studio) -> CorpusTab:
    """Lay the section out and connect what happens within it."""
    gr.HTML(views.paragraph(strings.CORPUS_INTRO))
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            upload = gr.File(label=strings.UPLOAD, file_types=FILE_TYPES, height=150, elem_id="corpus-file")
            gr.HTML(views.paragraph(strings.FORMATS, "under"))
            refused = gr.HTML(elem_id="corpus-refused")
            choice = gr.Dropdown(choices(studio), value=None, label=strings.CHOOSE_CORPUS, elem_id="corpus-choice")
            with gr.Row(elem_classes="buttons"):
                to_train = gr.Button(strings.NEXT_TRAIN, variant="primary", elem_id="to-train")
                to_test = gr.Button(strings.TRY_FIRST, elem_id="to-test")
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            findings = gr.HTML(show_findings(studio, None), elem_id="audit")
    tab = CorpusTab(upload, choice, findings, to_train, to_test)
    private = {"api_visibility": "private"}
    upload.upload(lambda file: take_in(studio, file), upload, [choice, refused], show_progress_on=[findings], **private)
    choice.change(lambda name: show_findings(studio, name), choice, findings, **private)
    return tab


def choices(studio: Studio) -> list[tuple[str, str]]:
    """What can be chosen: (label, name), the sample last."""
    return [*((name, name) for name in studio.corpora.names()), (strings.SAMPLE, SAMPLE)]


def take_in(studio: Studio, file: str | None) -> tuple:
    """Keep an uploaded file and choose it; one that cannot be used is named with the reason, and the choice stays."""
    if not file:
        return gr.skip(), ""
    try:
        name = studio.corpora.add(file)
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.NOT_READ, error)
    return gr.Dropdown(choices=choices(studio), value=name), ""


def show_findings(studio: Studio, name: str | None) -> str:
    """Audit a text and say in plain words what it is."""
    if not name:
        return views.paragraph(strings.NO_CORPUS_YET, "quiet")
    try:
        return audit_view(title_of(name), studio.audit(name))
    except DeftxError as error:
        return views.refusal(strings.NOT_READ, error)


def title_of(name: str) -> str:
    """How a text is called on the page."""
    return strings.SAMPLE if name == SAMPLE else name


def audit_view(title: str, found: Audit) -> str:
    """Lay out the findings: the verdict, what to look at, the numbers."""
    numbers = [
        (strings.LINES, f"{found.lines:,}"),
        (strings.WORDS, f"{found.words:,}"),
        (strings.TOKENS, f"{found.tokens:,}"),
        (strings.TOKENS_PER_WORD, f"{found.tokens_per_word:.2f}"),
        (strings.UNKNOWN, f"{found.unknown_rate:.2%}"),
        (strings.REPEATED, f"{found.duplicates:,} ({found.duplicates / found.lines:.0%})"),
        (strings.LEFT_OUT, f"{sum(found.skipped.values()):,}"),
    ]
    verdict = views.notice(strings.READY_WITH_NOTES if found.warnings else strings.READY,
                           kind="note" if found.warnings else "good")  # fmt: skip
    heading = f"<h3>{views.escape(title)}</h3>"
    return heading + verdict + views.figures(numbers) + _scripts(found) + views.notes(strings.NOTE, found.warnings)


def _scripts(found: Audit) -> str:
    """The scripts that make up at least a thousandth of the letters."""
    shown = [(script, share) for script, share in found.scripts.items() if share >= 0.001]
    return views.bars(shown[:4], caption=strings.SCRIPTS)
