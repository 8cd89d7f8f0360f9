"""The experiments: the files in the data folder, and the languages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from deftx.core.errors import DeftxError, unknown_name

CODE = re.compile(r"[a-z]{2,3}")  # of a language that is no target of its own: a part of a path


@dataclass(frozen=True)
class Setting:
    """A task, its source language with labels, and targets with a test set and the raw text of their language.

    A target is a language, or one of several test sets of a language.
    """

    name: str
    title: str
    metric: str
    pairs: bool
    source: str
    reference: str | None  # the source language if it has a test set; not zero-shot
    targets: tuple[str, ...]
    development: tuple[str, ...]  # languages for choosing settings
    train: str
    valid: str
    test: str  # {} stands for the language
    parallel: bool  # whether row i is the same sentence in all languages
    corpora: dict[str, str]  # names of corpora that differ from the language's code
    labelled: str = ""  # labelled rows of a language, and a word list from the source to it; {} stands for the language
    lexicon: str = ""
    test_sets: dict[str, tuple[str, str]] = field(default_factory=dict)  # target -> its language and its file
    any_language: bool = False  # whether other languages can be named, whose files are in the data folder

    def language_of(self, target: str) -> str:
        """Return the language of a target: the target itself, unless it is one of several test sets of a language."""
        return self.test_sets[target][0] if target in self.test_sets else target

    def corpus(self, data: Path, language: str) -> Path:
        """Return the file of a language's raw text."""
        return data / "corpora" / f"{self.corpora.get(language, language)}.txt.gz"

    def test_file(self, data: Path, target: str) -> Path:
        """Return the file of a target's test set."""
        return data / (self.test_sets[target][1] if target in self.test_sets else self.test.format(target))

    def labelled_file(self, data: Path, language: str) -> Path:
        """Return the file of a language's labelled rows for training."""
        return data / self.labelled.format(language)

    def lexicon_file(self, data: Path, language: str) -> Path:
        """Return the word list from the source language to a language."""
        return data / self.lexicon.format(language)

    def languages(self, names: list[str] | None) -> tuple[str, ...]:
        """Return the targets: all, or the named ones, which may be development languages."""
        known = (*self.targets, *self.development)
        for name in names or ():
            if name not in known and not (self.any_language and CODE.fullmatch(name)):
                raise unknown_name("The language", name, known)
        return tuple(dict.fromkeys(names)) if names else self.targets

    def check(self, data: Path, languages: tuple[str, ...], needed: Iterable[str] = ()) -> None:
        """Raise DeftxError, naming the first missing file, unless all files exist.

        ``needed`` are the kinds of data of the target languages that rows need: "labelled" or "lexicon".
        """
        files = [data / self.train, data / self.valid]
        for language in (self.source, *languages):
            files.append(self.corpus(data, self.language_of(language)))
        files += [self.test_file(data, language) for language in languages]
        for kind in needed:
            if not getattr(self, kind):
                raise DeftxError(
                    f"The benchmark {self.name} has no {kind} data of its target languages for these rows."
                )
            wanted = [one for one in languages if kind == "labelled" or one != self.source]
            files += [data / getattr(self, kind).format(language) for language in wanted]
        for file in files:
            if not file.is_file():
                raise DeftxError(
                    f"{file} is missing: --data must be a folder with the files described in docs/evidence.md."
                )


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            name="nusax", title="Sentiment: SMSA (Indonesian) to NusaX", metric="f1", pairs=False, source="ind",
            reference="ind", targets=("mad", "bjn", "ban", "ace", "min"), development=("jav", "sun"), train="smsa/train.csv",
            valid="smsa/valid.csv", test="nusax/{}/test.csv", parallel=True, corpora={},
            labelled="nusax/{}/train.csv", lexicon="lexicons/ind-{}.csv",
        ),
        Setting(
            name="americasnli", title="Inference: English pairs to AmericasNLI", metric="accuracy", pairs=True,
            source="eng", reference=None, targets=("aym", "bzd", "cni", "gn", "hch", "nah", "oto", "quy", "shp", "tar"),
            development=(), train="nli_source/eng/train.csv", valid="nli_source/eng/valid.csv",
            test="americasnli/{}/test.csv", parallel=False, corpora={"eng": "eng_clear"},
        ),
        Setting(
            name="xnli", title="Inference: English pairs to IndoNLI (Indonesian) and other languages", metric="accuracy", pairs=True,
            source="eng", reference=None, targets=("ind-lay", "ind-expert"), development=(), train="nli_source/eng/train.csv",
            valid="nli_source/eng/valid.csv", test="xnli/{}/test.csv", parallel=False, corpora={"eng": "eng_clear"},
            test_sets={f"ind-{part}": ("ind", f"nli_source/ind/test_{part}.csv") for part in ("lay", "expert")}, any_language=True,
        ),
    )
}  # fmt: skip
