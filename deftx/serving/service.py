"""The service behind the HTTP server: which language a text is in, and the answers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deftx.core.errors import DeftxError, unknown_name
from deftx.data.languages import UNKNOWN, Languages
from deftx.models.batches import Text
from deftx.serving.batching import MOST_WAITING, Batcher
from deftx.serving.switching import Switcher


@dataclass(frozen=True)
class Routed:
    """The language whose vector a text gets, or None for the task vector alone, and how it was chosen."""

    language: str | None
    found: str | None  # what identification says, if the request does not name the language; it may be "unknown"


class Service:
    """A switcher behind a batcher, and the identification of languages."""

    def __init__(
        self, switcher: Switcher, known: Languages, *, pairs: bool = False, otherwise: str | None = None,
        waiting: int = MOST_WAITING,
    ) -> None:  # fmt: skip
        """Start the thread that classifies.

        Args:
            switcher: The classifier.
            known: The languages that are identified.
            pairs: Whether the task classifies pairs of texts.
            otherwise: The language of texts whose language is not found or has no vector; None: the task vector alone.
            waiting: The largest number of texts that wait.

        Raises:
            DeftxError: If ``otherwise`` has no vector.
        """
        self.labels, self.codes, self.pairs = switcher.classifier.labels, switcher.codes, pairs
        self._known = known
        self._otherwise = self._checked(otherwise) if otherwise is not None else None
        self.batcher = Batcher(switcher.classify, waiting=waiting)

    def route(self, texts: Sequence[Text], told: Sequence[str | None]) -> list[Routed]:
        """Return the language of each text: as told, else as identified.

        Raises:
            DeftxError: If a language was told that has no vector here.
        """
        for code in {code for code in told if code is not None}:
            self._checked(code)
        return [
            Routed(code, None) if code is not None else self._identified(text)
            for text, code in zip(texts, told, strict=True)
        ]

    async def answer(self, texts: Sequence[Text], told: Sequence[str | None]) -> list[dict[str, Any]]:
        """Return label, probabilities and language of each text, in their order.

        Raises:
            DeftxError: If a language has no vector here, or the queue is full (Busy).
        """
        routed = await asyncio.to_thread(self.route, texts, told)
        groups: dict[str | None, list[int]] = {}
        for place, one in enumerate(routed):
            groups.setdefault(one.language, []).append(place)
        futures = self.batcher.submit([(code, [texts[p] for p in places]) for code, places in groups.items()])
        answers: list[dict[str, Any]] = [{} for _ in texts]
        for places, future in zip(groups.values(), futures, strict=True):
            rows = (await asyncio.wrap_future(future)).tolist()
            for place, row in zip(places, rows, strict=True):
                answers[place] = self._described(row, routed[place])
        return answers

    def about(self) -> Mapping[str, Any]:
        """Return what is served, and how many texts wait."""
        return {"labels": self.labels, "languages": self.codes, "pairs": self.pairs, "waiting": self.batcher.waiting}

    def _identified(self, text: Text) -> Routed:
        line = text if isinstance(text, str) else " ".join(text)
        found = self._known.identify(line) if self.codes else UNKNOWN
        return Routed(found if found in self.codes else self._otherwise, found)

    def _checked(self, code: str) -> str:
        if code not in self.codes:
            raise unknown_name("A vector of the language", code, self.codes or ["none"], DeftxError)
        return code

    def _described(self, row: list[float], routed: Routed) -> dict[str, Any]:
        probabilities = dict(zip(self.labels, row, strict=True))
        label = self.labels[row.index(max(row))]
        return {"label": label, "probabilities": probabilities, "language": routed.language, "found": routed.found}
