"""The studio that the page and its endpoints use: a workspace, its forecasts and scores, and the actions in it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from deftx.core.errors import DeftxError, HubError
from deftx.data.reading import Amount
from deftx.jobs import Job, Store, push
from deftx.jobs.pace import note_expected
from deftx.jobs.state import worker_of
from deftx.publish.own_vectors import LONGEST_TITLE, clean
from deftx.training.request import SettingsRefused, TrainingRequest
from deftx.training.trackers import check_tracker
from ui import strings
from ui.classify.combination import Combination
from ui.classify.composing import check_text, takes_pairs
from ui.classify.scoring import Scoring
from ui.classify.units import refuse_unless_texts
from ui.train.forecast import Forecast
from ui.train.requests import resolve
from ui.workspace import Workspace

EXIT_SECONDS = 10.0  # seconds that a process may take to exit after it has reported its end


@dataclass(frozen=True)
class Answer:
    """The probability of each label of one sentence, in the task's order, and the vectors used."""

    probabilities: dict[str, float]
    task: str
    language: str
    device: str
    cut: bool  # whether the text has more tokens than are read


class Studio(Workspace):
    """The page's one interface to ``deftx``; every method can be called from any thread."""

    def __init__(
        self,
        base_name: str,
        store: Store | None = None,
        *,
        host: "Studio | None" = None,
        admit: Callable[[int], None] = lambda size: None,
        most: Amount | None = None,
    ) -> None:
        """Open the workspace; the arguments are those of ``Workspace``."""
        super().__init__(base_name, store, host=host, admit=admit, most=most)
        self.forecast = Forecast(self, host.forecast if host else None)
        self.scoring = Scoring(self)

    def train(self, request: TrainingRequest) -> Job:
        """Put a requested training into the queue; the request has the page's names of texts, tables and vectors.

        Raises:
            DeftxError: something is missing or would be refused (SettingsRefused names it); nothing is written.
        """
        is_language = request.kind == "language"
        # One printable line of limited length each: they are shown to other people, and become the name of a vector.
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
        if request.report_to and not self.reports:
            raise DeftxError(strings.REPORT_NOT_YOURS)
        check_tracker(request.report_to)
        job = self.store.add(request.kind, request.name, request.to_job())
        note_expected(job, outlook.found)
        return job

    def resume(self, job_id: str) -> None:
        """Put a stopped, failed or interrupted job back into the queue, after its process has exited."""
        deadline = time.monotonic() + EXIT_SECONDS
        while worker_of(self.store.get(job_id)) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        self.store.requeue(job_id)

    def shift(self, job_id: str, places: int) -> None:
        """Move a waiting job by some places; a negative number is earlier."""
        waiting = [job.id for job in self.store.queue()]
        self.store.move(job_id, (waiting.index(job_id) if job_id in waiting else 0) + places)

    def classify(self, text: str, task: str, language: str = "") -> Answer:
        """Classify a sentence with vectors by key; ``language`` may be empty.

        Raises:
            DeftxError: no sentence, no such vector, or a vector made for another base.
        """
        if not text.strip():
            raise DeftxError(strings.NO_SENTENCE)
        found = self.composing.find(Combination.of(task, [(language, 1.0)]))
        check_text(found.entries[0].folder, text)
        with self.composing.classifier(found, 1) as classifier:
            values = classifier.classify([text])[0].tolist()
            return Answer(
                dict(zip(classifier.labels, values, strict=True)),
                task=found.task,
                language=found.languages[0] if language else strings.NO_LANGUAGE,
                device=self.machine,
                cut=bool(classifier.cut([text])),
            )

    def predict(self, texts: Sequence[str], task: str, language: str = "") -> list[str]:
        """Return the most probable label of each text, with vectors by key; DeftxError as in ``classify``."""
        found = self.composing.find(Combination.of(task, [(language, 1.0)]))
        if takes_pairs(found.entries[0].folder):
            raise DeftxError(strings.PAIR_TASK)
        refuse_unless_texts(found.entries[0].folder)
        return self.composing.composed_of(found.combination, found.states).predict(texts)
