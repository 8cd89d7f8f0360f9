"""The studio of whoever asks: a workspace, the forecast and the scores worked out from it, and what can be done in it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from deftx.core.errors import DeftxError, HubError
from deftx.jobs import Job, Store, push
from deftx.jobs.pace import note_expected
from deftx.jobs.state import worker_of
from deftx.publish.own_vectors import LONGEST_TITLE, clean
from deftx.training.request import SettingsRefused, TrainingRequest
from ui import strings
from ui.classify.combination import Combination
from ui.classify.composing import check_text, takes_pairs
from ui.classify.scoring import Scoring
from ui.train.forecast import Forecast
from ui.train.requests import resolve
from ui.workspace import Workspace

EXIT_SECONDS = 10.0  # seconds that a process may take to go after it has said how it ended


@dataclass(frozen=True)
class Answer:
    """The probability of each label of one sentence, in the task's order, and what they came from."""

    probabilities: dict[str, float]
    task: str
    language: str
    device: str


class Studio(Workspace):
    """A workspace with what is worked out from it; what the page and its endpoints call."""

    def __init__(
        self,
        base_name: str,
        store: Store | None = None,
        *,
        host: "Studio | None" = None,
        admit: Callable[[int], None] = lambda size: None,
    ) -> None:
        """Open the workspace; the arguments are those of ``Workspace``."""
        super().__init__(base_name, store, host=host, admit=admit)
        self.forecast = Forecast(self, host.forecast if host else None)
        self.scoring = Scoring(self)

    def train(self, request: TrainingRequest) -> Job:
        """Put a training into the queue; its request names texts, tables and vectors as the page does.

        Raises:
            DeftxError: something is missing, or would be refused (SettingsRefused names what); nothing is written.
        """
        is_language = request.kind == "language"
        # One printable line of a bearable length each: they are shown to others, and become the name of a vector.
        texts = {text: clean(getattr(request, text), LONGEST_TITLE) for text in ("name", "language")}
        request = replace(request, **texts)
        if not request.name:
            raise DeftxError(strings.NEEDS_NAME if is_language else strings.NEEDS_TASK_NAME)
        if not request.data:
            raise DeftxError(strings.NEEDS_CORPUS if is_language else strings.NEEDS_TABLE)
        outlook = self.forecast.look(request)
        if outlook.refusals:
            raise SettingsRefused(outlook.refusals)
        request = resolve(self, request)
        if request.push_to and not self.is_host:
            raise HubError(strings.PUSH_NOT_YOURS)
        push.check(request)
        job = self.store.add(request.kind, request.name, request.to_job())
        note_expected(job, outlook.found)
        return job

    def resume(self, job_id: str) -> None:
        """Put a stopped, failed or interrupted job back into the queue, once its process has quite ended."""
        deadline = time.monotonic() + EXIT_SECONDS
        while worker_of(self.store.get(job_id)) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        self.store.requeue(job_id)

    def shift(self, job_id: str, places: int) -> None:
        """Move a waiting job by some places; below 0 is earlier."""
        waiting = [job.id for job in self.store.queue()]
        self.store.move(job_id, (waiting.index(job_id) if job_id in waiting else 0) + places)

    def classify(self, text: str, task: str, language: str = "") -> Answer:
        """Classify a sentence with the vectors of these keys; ``language`` may be empty.

        Raises:
            DeftxError: no sentence, no such vector, or a vector made for another base.
        """
        if not text.strip():
            raise DeftxError(strings.NO_SENTENCE)
        found = self.composing.find(Combination.of(task, [(language, 1.0)]))
        check_text(found.entries[0].folder, text)
        classifier = self.composing.composed_of(found.order, found.states)
        values = classifier.classify([text])[0].tolist()
        return Answer(
            dict(zip(classifier.labels, values, strict=True)),
            task=found.task,
            language=found.languages[0] if language else strings.NO_LANGUAGE,
            device=self.machine,
        )

    def predict(self, texts: Sequence[str], task: str, language: str = "") -> list[str]:
        """Return the most probable label of each text, with the vectors of these keys; DeftxError as ``classify``."""
        found = self.composing.find(Combination.of(task, [(language, 1.0)]))
        if takes_pairs(found.entries[0].folder):
            raise DeftxError(strings.PAIR_TASK)
        return self.composing.composed_of(found.order, found.states).predict(texts)
