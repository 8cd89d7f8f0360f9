"""Files that Gradio leaves in its folder of uploads: those of uploads that were cut off, and empty ones."""

from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gradio.components import download_button, upload_button
from gradio.components import file as file_field
from gradio.route_utils import GradioMultiPartParser

Parse = Callable[[Any], Awaitable[Any]]


def discard_cut_uploads() -> None:
    """Make Gradio remove what has arrived of an upload that does not become whole; it has no setting for that.

    It also goes on reporting the progress of such an upload.
    """
    parse = GradioMultiPartParser.parse
    if not hasattr(parse, "__wrapped__"):  # several servers may be made in one process
        GradioMultiPartParser.parse = _discarding(parse)  # type: ignore[method-assign]


def make_no_empty_files() -> None:
    """Make Gradio create no file for each uploaded file that a handler gets: it would stay empty, and nothing removes it.

    Gradio uses only the name of that file, which it sets itself.
    """
    for module in (file_field, upload_button, download_button):
        module.tempfile = SimpleNamespace(NamedTemporaryFile=lambda **_: SimpleNamespace())  # type: ignore[attr-defined]


def _discarding(parse: Parse) -> Parse:
    @wraps(parse)
    async def discarding(parser: Any) -> Any:
        try:
            return await parse(parser)
        except BaseException:  # the client left, the body was refused, the disk is full, the server stops
            for file in parser._files_to_close_on_error:
                file.close()
                Path(file.name).unlink(missing_ok=True)
            if parser.upload_progress is not None:
                parser.upload_progress.stop_tracking(parser.upload_id)  # which ends the stream of its progress
            raise

    return discarding
