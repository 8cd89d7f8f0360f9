"""What a person can put right reaches them in its own words: as a message on the page, as the error of a program's call."""

from html import escape

import gradio as gr

from deftx.core.errors import DeftxError


class refusals:
    """Passes what a person can put right on to the caller in its own words."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: object) -> None:
        """Turn a DeftxError into the message that a client is shown."""
        if isinstance(error, DeftxError):
            # Gradio lays messages out as HTML; a message may quote what a stranger wrote.
            raise gr.Error(escape(str(error), quote=False), print_exception=False) from error
