"""Waits until somebody who types pauses: every answer costs a busy machine a tenth of a second, and five keys a second are five."""

from collections.abc import Sequence

import gradio as gr

PAUSE = 250  # milliseconds: longer than between two keys of somebody who types on, too short to be noticed as a wait

# All that wait are told at once, and the same, so that the field changes once.
_WHEN_QUIET = """() => new Promise((done) => {
  const typing = (window.deftxTyping ??= {waiting: []});
  clearTimeout(typing.timer);
  typing.waiting.push(done);
  typing.timer = setTimeout(() => {
    const now = String(performance.now());
    typing.waiting.splice(0).forEach((tell) => tell(now));
  }, %d);
})"""


def settled(parts: Sequence[gr.components.Component], elem_id: str) -> gr.Textbox:
    """Return a hidden field that changes once none of these has changed for PAUSE; the script runs in the browser."""
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
