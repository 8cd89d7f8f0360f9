"""What other programs can ask of the page, by name, with ``gradio_client``."""

from dataclasses import asdict
from typing import Any

import gradio as gr

from deftx.errors import DeftxError
from deftx.jobs import Job, progress_of, state_of
from ui.studio import Studio


def build(studio: Studio) -> None:
    """Offer the endpoints /audit, /train_language, /jobs and /classify."""

    def audit(file: str | None, corpus: str) -> dict[str, Any]:
        """Audit a file, which is kept, or a text that is here already by its name."""
        with refusals():
            name = studio.corpora.add(file) if file else corpus
            return {"corpus": name, **studio.audit(name).to_dict(), "languages": studio.facts.mix(name)}

    def train_language(
        corpus: str, name: str, code: str = "", preset: str = "quick", recipe: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Put the training of a language vector into the queue; ``recipe`` holds settings that differ from the preset's."""
        with refusals():
            return describe(studio.train_language(corpus, name, code, preset, recipe))

    def jobs() -> list[dict[str, Any]]:
        """List all trainings, the newest first, with state and progress."""
        return [describe(job) for job in studio.store.list()]

    def classify(text: str, task: str, language: str = "") -> dict[str, Any]:
        """Classify a sentence; vectors are named bundled:NAME or job:ID."""
        with refusals():
            return asdict(studio.classify(text, task, language))

    with gr.Column(visible=False):
        file, corpus, findings, trigger = gr.File(), gr.Textbox(), gr.JSON(), gr.Button()
    trigger.click(audit, [file, corpus], findings, api_name="audit")
    gr.api(train_language, api_name="train_language")
    gr.api(jobs, api_name="jobs")
    gr.api(classify, api_name="classify", concurrency_id="classify")


def describe(job: Job) -> dict[str, Any]:
    """A job as plain data."""
    state, progress = state_of(job), progress_of(job)
    return {
        "id": job.id, "kind": job.kind, "name": job.name, "state": state.name, "meaning": state.meaning,
        "phase": progress.phase, "step": progress.step, "total": progress.total, "loss": progress.loss,
        "seconds_left": progress.seconds_left, "vector": f"job:{job.id}" if state.name == "finished" else None,
    }  # fmt: skip


class refusals:
    """Passes what a person can put right on to the caller in its own words."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: object) -> None:
        """Turn a DeftxError into the message that a client is shown."""
        if isinstance(error, DeftxError):
            raise gr.Error(str(error), print_exception=False) from error
