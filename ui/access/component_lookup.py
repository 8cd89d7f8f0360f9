"""Serve Gradio's script of the page's components with an index, because it searches the whole page at every update.

``find_node`` of Gradio 6.31 walks the tree of components until it comes to the one that it looks for, for every input and every output of
every event, and reading the tree is slow (Svelte's proxies). ``find_attached_events`` reads all events for each component. In this page, which
has 800 components in each language, that was nearly half of what a browser computed (benchmarks/component_lookup.py). Where Gradio's script
is another one, it is served as it is.
"""

from collections.abc import Callable
from pathlib import Path

import gradio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

SCRIPTS = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
# What is replaced in the script, which is minified, by what. The index is made anew where the tree is made anew.
EDITS = {
    # find_node(tree, id): the index of a tree is made at the first search in it, and again if an id is not in it.
    "function Z(e,t){if(e.id===t)return e;if(e.children)for(let n of e.children){let e=Z(n,t);if(e)return e}return null}": (
        "function Z(e,t){let n=Z.trees??=new WeakMap,r=n.get(e);r||n.set(e,r=new Map);if(!r.has(t)){r.clear();"
        "let i=e=>{r.has(e.id)||r.set(e.id,e),e.children?.forEach(i)};i(e)}return r.get(t)??null}"
    ),
    "postprocess(e){this.root=": "postprocess(e){Z.trees=void 0,this.root=",
    "a.children=i.children,this.#f(i)}": "a.children=i.children,Z.trees=void 0,this.#f(i)}",
    # find_attached_events(component, events): the first event of each component in each entry of the page's list.
    "let n=t.filter(t=>t.targets.find(([t])=>t===e.id)).map(t=>{let n=t.targets.find(([t])=>t===e.id);return n?n[1]:null})"
    ".filter(Boolean);return e.props.shared_props.attached_events=n,e": (
        "let n=Z.events??=new WeakMap,r=n.get(t);if(!r){n.set(t,r=new Map);for(let e of t){let t=new Map;for(let[n,r]of e.targets)"
        "t.has(n)||t.set(n,r);for(let[e,n]of t)n&&(r.has(e)||r.set(e,[]),r.get(e).push(n))}}"
        "return e.props.shared_props.attached_events=r.get(e.id)??[],e"
    ),
}


def with_index(script: str) -> str | None:
    """Return the script with an index in place of the searches, or None if it is not the script of the pinned Gradio."""
    if any(script.count(old) != 1 for old in EDITS):
        return None
    for old, new in EDITS.items():
        script = script.replace(old, new)
    return script


def routes() -> list[BaseRoute]:
    """Return the route of the script with an index, in front of Gradio's own; none if Gradio's script is another one."""
    found = ((path.name, with_index(path.read_text(encoding="utf-8"))) for path in sorted(SCRIPTS.glob("core-*.js")))
    return [Route(f"/assets/{name}", _serving(script)) for name, script in found if script]


def _serving(script: str) -> Callable[[Request], Response]:
    def serve(_: Request) -> Response:
        return Response(script, media_type="text/javascript")

    return serve
