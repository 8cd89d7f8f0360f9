"""The sections of the page: their parts and their place."""

from dataclasses import dataclass

import gradio as gr

from ui import strings
from ui.classify import check_tab, classify_tab, file_tab, score_tab
from ui.corpus import corpus_tab
from ui.current import current_workspace
from ui.guide import guide
from ui.history import history_tab
from ui.labelling import label_tab, word_label_tab
from ui.library import library_tab
from ui.overlap import overlap_tab
from ui.shared import views
from ui.spectra import spectra_form
from ui.train import train_tab
from ui.watch import watch


@dataclass(frozen=True)
class Kept:
    """What the visitor's browser stores over reloads and restarts of the server: names only.

    They stand outside of all sections: inside of one, they would be read only when the section is first shown.
    """

    corpus: gr.BrowserState
    job: gr.BrowserState
    tab: gr.BrowserState
    form: gr.BrowserState
    test: gr.BrowserState
    guide: gr.BrowserState
    check: gr.BrowserState
    label: gr.BrowserState
    file: gr.BrowserState
    score: gr.BrowserState


@dataclass(frozen=True)
class Sections:
    """The parts of the page that events connect."""

    tabs: gr.Tabs
    tab: dict[str, gr.Tab]
    guide: guide.Guide
    corpus: corpus_tab.CorpusTab
    train: train_tab.TrainTab
    watch: watch.Watch
    test: classify_tab.TestTab
    file: file_tab.FileTab
    score: score_tab.ScoreTab
    check: check_tab.CheckTab
    label: label_tab.LabelTab
    spectra: spectra_form.SpectraTab
    overlap: overlap_tab.OverlapTab
    library: library_tab.LibraryTab
    history: history_tab.HistoryTab


def lay_out(strip: gr.HTML, kept: Kept) -> Sections:
    """Build every section, in the order of work; ``strip`` is the status line, which is always visible."""
    tab = {}
    with gr.Tabs(selected="start", elem_id="tabs") as tabs:
        with gr.Tab(strings.TABS["start"], id="start") as tab["start"]:
            guided = guide.build(kept.guide)
        with gr.Tab(strings.TABS["corpus"], id="corpus") as tab["corpus"]:
            corpus = corpus_tab.build()
        with gr.Tab(strings.TABS["train"], id="train") as tab["train"]:
            intro = strings.TRAIN_INTRO_IN_CALLS if current_workspace().calls else strings.TRAIN_INTRO
            gr.HTML(views.paragraph(intro))
            with gr.Row(equal_height=False, elem_classes="columns"):
                train = train_tab.build(corpus.choice, kept.form)
        with gr.Tab(strings.TABS["test"], id="test") as tab["test"]:
            test = classify_tab.build(kept.test)
            file = file_tab.build(test.form, kept.file)
            score = score_tab.build(test.form, kept.score)
            check = check_tab.build(test.task, test.language, kept.check)
            label = label_tab.build(test.task, test.language, kept.label)
            word_label_tab.build(test.task, test.language)
        with gr.Tab(strings.TABS["spectra"], id="spectra") as tab["spectra"]:
            spectra = spectra_form.build()
        with gr.Tab(strings.TABS["overlap"], id="overlap") as tab["overlap"]:
            overlap = overlap_tab.build()
        with gr.Tab(strings.TABS["library"], id="library") as tab["library"]:
            library = library_tab.build()
        with gr.Tab(strings.TABS["history"], id="history") as tab["history"]:
            history = history_tab.build()
    with train.beside:
        watching = watch.build(strip, test.task, test.language)
    return Sections(
        tabs, tab, guided, corpus, train, watching, test, file, score, check, label, spectra, overlap, library, history
    )
