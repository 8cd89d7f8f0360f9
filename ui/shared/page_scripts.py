"""Scripts that the page runs before Gradio's own: they follow the server, limit idle drawing, and keep what is typed."""

import secrets
from functools import cache

STARTED_HEADER = "X-Deftx-Started"  # of every answer: which start of the server gave it

# Gradio notices a lost server only where an answer is outstanding or an event follows while the server is away, and a
# section without a timer sends none. The page's open connection, its heartbeat, ends with the server in any case: it is asked for
# again until a server answers. Another start of the server knows neither the page's session nor, after an update, its
# events, so the page loads anew, also where an answer to anything else is the first to say so.
_FOLLOW = """
(() => {
  const started = '%s', ask = window.fetch;
  const follow = async beats => {
    try {
      for (const parts = beats.body.getReader(); !(await parts.read()).done;);
    } catch { /* the connection broke */ }
    for (let again; !again || again.status === 429 || again.status >= 500;) {
      await new Promise(resolve => setTimeout(resolve, 2000));
      again = await window.fetch(beats.url).catch(() => null);
    }
  };
  window.fetch = async (...asked) => {
    const answer = await ask(...asked), by = answer.headers.get('%s');
    if (by && by !== started) location.reload();
    else if (answer.ok && answer.url.includes('/gradio_api/heartbeat/')) follow(answer.clone());
    return answer;
  };
})();
"""

# What Gradio shows while the page loads counts the seconds at every frame, and goes on when it is gone: an open page draws
# sixty times a second for nothing. Its script keeps the function that it finds here; once a second is enough for that.
_DRAW_LESS = """
(() => {
  const draw = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = step =>
    String(step).includes('performance.now()-') ? setTimeout(() => draw(step), 1000) : draw(step);
})();
"""

# Gradio builds the fields of a tab, a step or an accordion when it is first opened, and gives them their first values again one
# frame later: what was typed or pasted meanwhile would be lost. Without that frame, nothing can come between.
_KEEP_INPUT = """
(() => {
  const draw = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = step =>
    new Error().stack.includes('render_previously_invisible_children') ? queueMicrotask(step) : draw(step);
})();
"""


@cache
def started() -> str:
    """Return an id of this start of the server."""
    return secrets.token_hex(8)


def elements() -> str:
    """Return the script elements; Gradio's setting for the head of the page adds its own only after Gradio's scripts ran."""
    return f"<script>{_FOLLOW % (started(), STARTED_HEADER)}{_DRAW_LESS}{_KEEP_INPUT}</script>"
