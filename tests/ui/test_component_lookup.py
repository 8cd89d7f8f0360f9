"""Gradio's script with an index: the same answers as its own searches."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.access.component_lookup import EDITS, routes, with_index

FIND, _, _, ATTACH = EDITS


def test_the_pinned_gradio_has_the_script():
    (route,) = routes()
    answer = TestClient(Starlette(routes=[route])).get(route.path)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert all(new in answer.text and old not in answer.text for old, new in EDITS.items())


def test_another_script_stays_as_it_is():
    assert with_index("".join(EDITS).replace("for(let n of e.children)", "for(let one of e.children)")) is None


@pytest.mark.browser
def test_the_index_finds_what_the_search_finds(browser):
    """Also after the tree was replaced, as ``postprocess`` and ``rerender`` do, and for an id that is nowhere."""
    found = browser.new_page().evaluate(
        """([search, index]) => {
          const [Z, I] = [search, index].map(code => new Function(code + '; return Z')());
          const tree = (id, depth) => ({id, children: depth ? [1, 2, 3].map(n => tree(id * 4 + n, depth - 1)) : undefined});
          const root = tree(1, 4), same = [];
          for (let turn = 0; turn < 2; turn++) {
            for (let id = 0; id < 800; id++) same.push(Z(root, id) === I(root, id));
            root.children[1] = tree(5000, 3); I.trees = undefined;
          }
          same.push(Z(root, 5000) === I(root, 5000), I(root, 5000) !== null, I(root, 9) === Z(root, 9));
          root.children.push({id: 7777}); same.push(I(root, 7777) === root.children[3]);
          return same;
        }""",
        [FIND, EDITS[FIND]],
    )
    assert len(found) == 1604
    assert all(found)


@pytest.mark.browser
def test_the_index_of_events_has_those_of_the_search(browser):
    events = [
        {"targets": [[1, "click"], [2, "change"]]},
        {"targets": [[1, "input"], [1, "blur"]]},
        {"targets": [[3, None]]},
    ]
    same = browser.new_page().evaluate(
        """([search, index, events]) => {
          const [a, b] = [search, index].map(code => new Function('Z', 'e', 't', code + ' '));
          const of = (f, Z, id) => { const e = {id, props: {shared_props: {}}}; f(Z, e, events); return e.props.shared_props.attached_events };
          return [1, 2, 3, 4].map(id => [of(a, () => 0, id), of(b, window, id)]);
        }""",
        [ATTACH, EDITS[ATTACH], events],
    )
    assert [old for old, _ in same] == [["click", "input"], ["change"], [], []]
    assert [new for _, new in same] == [old for old, _ in same]
