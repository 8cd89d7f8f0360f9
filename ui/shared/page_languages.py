"""The page in its languages: links between them, which one a browser opens, and handlers that speak that of their page."""

from html import escape

import gradio as gr

from ui import strings
from ui.shared import views

FIRST, *OTHERS = strings.SPOKEN  # the page in the first one is at /, the others at their codes
KEPT = "deftx-studio-language"  # where the browser keeps which one was chosen

# A visitor who has not chosen sees the page in the browser's language, where there is such a page.
CHOOSE = f"""<script>
try {{
  const wanted = localStorage.getItem('{KEPT}') ?? navigator.language.slice(0, 2);
  if ({OTHERS}.includes(wanted) && location.pathname.endsWith('/')) location.replace(wanted + location.search);
}} catch {{ /* nothing may be stored here: the page stays as it is */ }}
</script>"""


def header() -> str:
    """The name of the studio, what it is for, and the page in its other languages."""
    links = "".join(_link(code, name) for code, name in strings.SPOKEN.items())
    choice = f'<nav class="languages" aria-label="{escape(strings.PAGE_LANGUAGE)}">{links}</nav>'
    return f"<header>{choice}<h1>{escape(strings.TITLE)}</h1>{views.paragraph(strings.TAGLINE, 'tagline')}</header>"


def _link(code: str, name: str) -> str:
    remember = escape(f"localStorage.setItem('{KEPT}', this.lang)")
    current = " aria-current=page" if code == strings.language() else ""
    place = "" if code == FIRST else code
    return f'<a href="./{place}" lang="{code}" hreflang="{code}" onclick="{remember}"{current}>{escape(name)}</a>'


def declare() -> str:
    """A script that says which language the page is in: screen readers pronounce by it."""
    return f"() => {{ document.documentElement.lang = '{strings.language()}' }}"


def speak(page: gr.Blocks) -> None:
    """Let every handler speak the language of its page; they run in threads of their own, long after the page is built."""
    for handler in page.fns.values():
        if handler.fn is not None:
            handler.fn = strings.spoken(handler.page or FIRST, handler.fn)
