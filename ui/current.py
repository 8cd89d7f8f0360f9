"""Whose workspace it is: each handler of a page runs in the workspace of its caller, and ``current_workspace`` returns it."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

import gradio as gr

from ui.shared.errors import refusals
from ui.studio import Studio

Admit = Callable[[Sequence[Any]], Studio]  # returns the workspace of a handler's caller, for the handler's arguments
_workspace: ContextVar[Studio] = ContextVar("workspace")


def current_workspace() -> Studio:
    """Return the workspace of the current request, or of the block of ``acting_in``.

    Raises:
        LookupError: neither a request nor such a block; a new thread has neither, unless it runs in a copy of the context.
    """
    try:
        return _workspace.get()
    except LookupError:
        raise LookupError("No workspace is current: this is no request, and not inside of acting_in.") from None


@contextmanager
def acting_in(workspace: Studio) -> Iterator[None]:
    """Make a workspace the current one inside the block: for a page that is built, for scripts, threads and tests."""
    before = _workspace.set(workspace)
    try:
        yield
    finally:
        _workspace.reset(before)


def serve(page: gr.Blocks, admit: Admit) -> None:
    """Make every handler of a page, on every route, run in the workspace that ``admit`` returns for its arguments.

    ``admit`` is called once for each call, and refuses it with a DeftxError.
    """
    for handler in page.fns.values():
        if handler.fn is not None:
            handler.fn = served(handler.fn, admit)


def served(function: Callable, admit: Admit) -> Callable:
    """Return the function, run in the workspace that ``admit`` returns for its arguments."""
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        raise TypeError(f"{function} is a generator or coroutine function, in which the workspace would be lost.")

    @wraps(function)
    def serving(*values: Any, **named: Any) -> Any:
        with refusals():
            workspace = admit((*values, *named.values()))
        with acting_in(workspace):
            return function(*values, **named)

    return serving
