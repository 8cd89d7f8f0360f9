"""Errors that a person can correct: shown on the page as a message, and raised in a program's call."""

from html import escape

import gradio as gr

from deftx.core.errors import DeftxError


class refusals:
    """Context manager that turns a DeftxError into a message for the caller."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: object) -> None:
        """Turn a DeftxError into the message that a client receives."""
        if isinstance(error, DeftxError):
            # Gradio renders messages as HTML, and a message may quote a stranger's text.
            raise gr.Error(escape(str(error), quote=False), print_exception=False) from error
