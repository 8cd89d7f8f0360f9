"""Whether a labelled file of words can score a task that tags words, and which of its tags the task lacks."""

from collections.abc import Sequence

from deftx.core.errors import TableError
from deftx.core.tags import OUTSIDE, marks_entities
from deftx.data.token_rows import TokenTable, tag_names


def tags_lacking(task: str, labels: Sequence[str], table: TokenTable) -> list[str]:
    """Return the tags of a labelled file that a task lacks, whose words count as wrong.

    Args:
        task: The name of the task vector.
        labels: The tags of the task.
        table: The labelled file.

    Raises:
        TableError: If the task finds names and the file has a class of each word, or the other way round. A file whose words
            are all O fits both.
    """
    kinds = {True: "names", False: "a class of each word"}
    finds = marks_entities(labels)
    names = tag_names(table)
    if finds != table.entities and names != [OUTSIDE]:
        raise TableError(f"The task vector {task} finds {kinds[finds]}; {table.name} has {kinds[table.entities]}.")
    return [tag for tag in names if tag not in {*labels, OUTSIDE}]
