"""The page in several languages: links between them, the choice on the first visit, and handlers that use their page's language."""

from html import escape

import gradio as gr

from ui import strings
from ui.shared import views

FIRST, *OTHERS = strings.SPOKEN  # the page in this language is at /, the others are at their codes
KEPT = "deftx-studio-language"  # the browser's key for the chosen language

# A visitor who has not chosen a language sees the page in the browser's language, if it is available.
CHOOSE_SCRIPT = f"""
try {{
  const wanted = localStorage.getItem('{KEPT}') ?? navigator.language.slice(0, 2);
  if ({OTHERS}.includes(wanted) && location.pathname.endsWith('/')) location.replace(wanted + location.search);
}} catch {{ /* nothing may be stored here: the page stays as it is */ }}
"""
CHOOSE = f"<script>{CHOOSE_SCRIPT}</script>"
REMEMBER = f"localStorage.setItem('{KEPT}', this.lang)"  # the handler of a link to another language


def header() -> str:
    """Return the header: the studio's name, its purpose, and links to the other languages."""
    links = "".join(_link(code, name) for code, name in strings.SPOKEN.items())
    choice = f'<nav class="languages" aria-label="{escape(strings.PAGE_LANGUAGE)}">{links}</nav>'
    return f"<header>{choice}<h1>{escape(strings.TITLE)}</h1>{views.paragraph(strings.TAGLINE, 'tagline')}</header>"


def _link(code: str, name: str) -> str:
    current = " aria-current=page" if code == strings.language() else ""
    place = "" if code == FIRST else code
    return (
        f'<a href="./{place}" lang="{code}" hreflang="{code}" onclick="{escape(REMEMBER)}"{current}>{escape(name)}</a>'
    )


def declare() -> str:
    """Return a script that declares the page's language, which screen readers need for pronunciation."""
    return f"() => {{ document.documentElement.lang = '{strings.language()}' }}"


def speak(page: gr.Blocks) -> None:
    """Make every handler use the language of its page; handlers run in other threads, long after the page is built."""
    for handler in page.fns.values():
        if handler.fn is not None:
            handler.fn = strings.spoken(handler.page or FIRST, handler.fn)
