"""Debouncing: wait until typing pauses. Each answer costs a busy machine a tenth of a second, and people type five keys a second."""

from collections.abc import Sequence

import gradio as gr

PAUSE = 250  # milliseconds: longer than between two keys, too short to be noticed as a delay

# All waiting callers are resolved at once with the same value, so that the field changes once.
_WHEN_QUIET = """() => new Promise((done) => {
  const typing = (window.deftxTyping ??= {waiting: []});
  clearTimeout(typing.timer);
  typing.waiting.push(done);
  typing.timer = setTimeout(() => {
    const now = String(performance.now());
    typing.waiting.splice(0).forEach((tell) => tell(now));
  }, %d);
})"""


def debounced(parts: Sequence[gr.components.Component], elem_id: str) -> gr.Textbox:
    """Return a hidden field that changes once when none of these has changed for PAUSE; the script runs in the browser."""
    field = gr.Textbox(visible="hidden", elem_id=elem_id)
    gr.on(
        [part.change for part in parts],
        None,
        outputs=field,
        js=_WHEN_QUIET % PAUSE,
        trigger_mode="multiple",
        show_progress="hidden",
        api_visibility="private",
    )
    return field
