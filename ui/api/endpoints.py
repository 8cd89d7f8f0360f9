"""The endpoints for programs that use ``gradio_client``."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from deftx.core.errors import VectorError
from deftx.jobs import Job, progress_of, state_of
from deftx.jobs.pace import expected_seconds
from deftx.training.request import HOURS
from deftx.vectors.overlaps import as_tables
from ui import strings
from ui.api import api_compose, api_files, api_library, api_spectra
from ui.api.arguments import OBJECT_OF_TEXTS, TEXT, TEXTS, check
from ui.current import current_workspace
from ui.shared.encoding_form import in_utf8
from ui.shared.errors import refusals
from ui.shared.uploads import READING
from ui.train.requests import from_options

HOW_READ = ("columns", "valid_columns", "encoding")  # options on how uploaded labelled files are read


def build() -> None:
    """Add the endpoints; docs/api.md shows how to use them."""
    with gr.Column(visible=False):
        _offer_files()
        api_files.build()
    _offer_training()
    _offer_jobs()

    def classify(text: str, task: str, language: str = "") -> dict[str, Any]:
        """Classify a sentence; vectors are named bundled:NAME or job:ID."""
        with refusals():
            check(TEXT, required=True, text=text)
            return asdict(current_workspace().classify(text, task, language))

    gr.api(classify, api_name="classify", concurrency_id="classify")
    api_compose.build()
    api_library.build()
    api_spectra.build()

    def overlap(vectors: list[str]) -> dict[str, Any]:
        """Compare every two of two or more vectors of one base, named bundled:NAME or job:ID."""
        with refusals():
            check(TEXTS, required=True, vectors=vectors)
            compared = current_workspace().overlaps.compare(vectors)
            if len(compared.keys) < 2:
                raise VectorError(strings.CHOOSE_TWO_VECTORS)
            return as_tables(compared.keys, compared.pairs)

    gr.api(overlap, api_name="overlap")


def _offer_files() -> None:
    """Add the endpoints that receive files, which need components."""

    def audit(file: str | None, corpus: str, column: str | None = None, encoding: str | None = None) -> dict[str, Any]:
        """Audit an uploaded file, which is stored, or a stored text by its name.

        ``column`` is the text column of an uploaded table; ``encoding`` is that of a file that is not in UTF-8.
        """
        workspace = current_workspace()
        with refusals():
            name = workspace.corpora.add(in_utf8(file, encoding), column or None) if file else corpus
            return {"corpus": name, **workspace.audit(name).to_dict(), "languages": workspace.facts.mix(name)}

    def train_task(
        train_file: str | None, valid_file: str | None, name: str, options: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Put the training of a task vector into the queue, from uploaded files or from files named in ``options``.

        ``options``: train, valid (stored labelled files), source (a vector's key), repeat (passes over train), further (more
        labelled files, each with file, source, repeat and lexicon), lexicon (a list of stored word lists), start (the key of a
        task vector to train further), language, base, preset, recipe (settings
        that differ from the preset's), processes (the number of GPUs), flavor and hours (a machine of Hugging Face Jobs, and
        its time limit), push_to and push_private (a Hub repository that the vector is pushed to at the end, "owner/name", and
        whether it is private, which is the default), report_to (a tracker). For uploaded files: columns and valid_columns ({"text": "review"}),
        encoding.
        """
        workspace = current_workspace()
        with refusals():
            reading, others = _split(options or {})
            check(OBJECT_OF_TEXTS, **{name: reading.get(name) for name in HOW_READ if name != "encoding"})
            check(TEXT, encoding=reading.get("encoding"))
            request = from_options("task", others)
            files = {"train": (train_file, "columns"), "valid": (valid_file, "valid_columns")}
            kept = {
                place: workspace.tables.add(in_utf8(file, reading.get("encoding")), reading.get(columns))
                for place, (file, columns) in files.items()
                if file
            }
            return describe(workspace.train(replace(request, name=name, **kept)))

    audited, findings = [gr.File(), gr.Textbox(), gr.Textbox(), gr.Textbox()], gr.JSON()
    gr.Button().click(audit, audited, findings, api_name="audit", **READING)
    train_file, valid_file, name, options, job = gr.File(), gr.File(), gr.Textbox(), gr.JSON(), gr.JSON()
    gr.Button().click(train_task, [train_file, valid_file, name, options], job, api_name="train_task", **READING)


def _split(options: Any) -> tuple[dict[str, Any], Any]:
    """Separate the options that say how uploaded files are read from those of the training."""
    if not isinstance(options, Mapping):
        return {}, options  # refused with the other options
    reading = {name: value for name, value in options.items() if name in HOW_READ}
    return reading, {name: value for name, value in options.items() if name not in HOW_READ}


def _offer_training() -> None:
    def train_language(
        corpus: str,
        name: str,
        code: str = "",
        preset: str = "quick",
        recipe: dict[str, Any] | None = None,
        base: str = "",
        processes: int = 1,
        flavor: str = "",
        hours: float = HOURS,
    ) -> dict[str, Any]:
        """Put the training of a language vector into the queue; ``recipe`` holds settings that differ from the preset's.

        ``processes`` is the number of GPUs. ``flavor`` and ``hours`` are a machine of Hugging Face Jobs and its time limit.
        """
        with refusals():
            options = {"corpus": corpus, "name": name, "language": code, "preset": preset, "recipe": recipe, "base": base,
                       "processes": processes, "flavor": flavor, "hours": hours}  # fmt: skip
            return describe(current_workspace().train(from_options("language", options)))

    gr.api(train_language, api_name="train_language", concurrency_limit=None)


def _offer_jobs() -> None:
    def job(job: str) -> dict[str, Any]:
        """Describe one training run: state, progress, and the key of its vector once it has finished."""
        with refusals():
            return describe(current_workspace().store.get(job))

    def jobs() -> list[dict[str, Any]]:
        """List all training runs with state and progress, the newest first."""
        return [describe(job) for job in current_workspace().store.list()]

    def cancel(job: str) -> dict[str, Any]:
        """Stop a training run; its checkpoint is kept."""
        store = current_workspace().store
        with refusals():
            store.request_stop(job)
            return describe(store.get(job))

    def resume(job: str) -> dict[str, Any]:
        """Put a stopped, failed or interrupted training run back into the queue, to continue from its checkpoint."""
        workspace = current_workspace()
        with refusals():
            workspace.resume(job)
            return describe(workspace.store.get(job))

    for function in (job, jobs, cancel, resume):
        gr.api(function, api_name=function.__name__, concurrency_limit=None)


def describe(job: Job) -> dict[str, Any]:
    """Return a job as plain data."""
    state, progress = state_of(job), progress_of(job)
    return {
        "id": job.id, "kind": job.kind, "name": job.name, "state": state.name, "meaning": state.meaning,
        "phase": progress.phase, "step": progress.step, "total": progress.total, "loss": progress.loss,
        "seconds_left": progress.seconds_left, "seconds_expected": expected_seconds(job),
        "vector": f"job:{job.id}" if state.name == "finished" else None,
    }  # fmt: skip
