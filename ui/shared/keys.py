"""Keys that press buttons while the focus is inside of a part of the page; elsewhere they would disturb typing."""

import json
from collections.abc import Mapping

# The focus must stay inside when the pressed button is disabled or replaced by the answer.
_SCRIPT = """
const area = element.closest('#AREA');
if (area && !area.dataset.keys) {
  area.dataset.keys = 'yes';
  area.tabIndex = -1;
  const buttons = BUTTONS;
  area.addEventListener('keydown', e => {
    const typing = e.target.closest('input, textarea, select');
    const button = !typing && !e.ctrlKey && !e.metaKey && !e.altKey && !e.repeat && buttons[e.key.toLowerCase()];
    if (button) { e.preventDefault(); area.querySelector(button)?.click(); }
  });
  area.addEventListener('focusin', () => { area.dataset.inside = 'yes'; });
  document.addEventListener('focusin', e => { if (!area.contains(e.target)) area.dataset.inside = ''; });
}
watch('value', () => setTimeout(() => {
  if (area?.dataset.inside && document.activeElement === document.body) area.focus({preventScroll: true});
}, 50));
"""


def script(area: str, buttons: Mapping[str, str]) -> str:
    """Return the script of an HTML part inside of ``area``: the keys, each with the selector of the button that it presses."""
    return _SCRIPT.replace("AREA", area).replace("BUTTONS", json.dumps(dict(buttons)))


def focus(area: str, *, scroll: bool = False) -> str:
    """Return the script that sets the focus, so that the keys work at once; ``scroll`` also brings the area into the window."""
    shown = "area?.scrollIntoView({behavior: 'smooth', block: 'start'});" if scroll else ""
    return f"""() => setTimeout(() => {{
  const area = document.querySelector('#{area}');
  area?.focus({{preventScroll: true}}); {shown}
}}, 100)"""
