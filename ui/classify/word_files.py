"""A file whose words are tagged in the background, for the page; without its display."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deftx.classify.tag_files import TaggedFile, formats_for, tag_file, write_tagged
from deftx.classify.tagger import tagger
from deftx.core.errors import TableError
from deftx.core.tags import marks_entities
from deftx.data.unlabelled import disarm
from deftx.data.words_to_tag import read_to_tag
from ui import strings
from ui.classify.combination import Combination
from ui.classify.file_tasks import MOST_TEXTS, refuse_without_login
from ui.classify.other_languages import OtherLanguage, other_language
from ui.shared.background import OnShare
from ui.shared.uploads import safe_name
from ui.workspace import Workspace


@dataclass(frozen=True)
class TaggedWords:
    """A tagged file, the vectors behind it, and its downloadable files."""

    name: str
    found: TaggedFile
    task: str
    language: str
    labels: tuple[str, ...]  # the tags that the task vector knows
    folder: TemporaryDirectory  # removed together with the object
    other: OtherLanguage | None = None

    @property
    def disarmed(self) -> int:
        """The number of cells that a spreadsheet would read as formulas."""
        return disarm(self.found.file.rows)[1]

    def files(self) -> list[Path]:
        """Return the marks in every format that has a place for them, the table first."""
        stem = Path(self.folder.name) / f"{safe_name(self.name)[0]}-tagged"
        endings = formats_for(marks_entities(self.labels))
        paths = [stem.with_name(f"{stem.name}{ending}") for ending in endings]
        for path in paths:
            if not path.exists():
                write_tagged(path, self.found)
        return paths


def tag_words(
    workspace: Workspace, file: Path, columns: Mapping[str, str] | None, combination: Combination, on_share: OnShare
) -> TaggedWords:
    """Tag the texts or words of a file with a combination of vectors.

    Raises:
        DeftxError: nobody has logged in, the file cannot be read or has too many texts, or the vectors cannot be composed or classify texts.
    """
    refuse_without_login(workspace)
    chosen = workspace.composing.find(combination)
    to_tag = read_to_tag(file, columns=columns)
    if len(to_tag.rows.texts) > MOST_TEXTS:
        raise TableError(strings.FILE_TOO_LONG.format(name=file.name, count=len(to_tag.rows.texts), most=MOST_TEXTS))
    made = tagger(workspace.composed(combination), chosen.task)
    found = tag_file(made, to_tag, on_share)
    with_language = " + ".join(chosen.languages) or strings.NO_LANGUAGE
    folder = TemporaryDirectory(prefix="deftx-tagged-")
    other = other_language(workspace, combination, to_tag.rows.texts)
    return TaggedWords(file.name, found, chosen.task, with_language, tuple(made.labels), folder, other)
