"""What a page without a server is told to check; the page itself is tested in tests/browser, with packages of npm."""

import json
import shutil
import subprocess

import pytest
from tiny_decoders import DECODER_TOKENIZERS

from deftx.classify.composition import compose
from deftx.core.assets import ASSETS
from deftx.models.batches import encode
from deftx.publish import offline_page


def test_the_page_checks_a_truncated_text(base, task_vector, tmp_path, monkeypatch):
    classifier = compose(base, task=task_vector)
    monkeypatch.setattr(offline_page, "onnx_probabilities", lambda _, classifier, texts: classifier.classify(texts))
    offline_page._describe(classifier, tmp_path, "graph.onnx", "x")
    probe = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))["probes"][-1]
    (whole,) = encode(base.tokenizer, [probe["text"]], 2**30)
    assert len(probe["ids"]) == classifier.max_length < len(whole)


def test_the_page_knows_how_many_tokens_end_a_truncated_text(base):
    assert offline_page._tokens_after(base.tokenizer) == 1
    for make in DECODER_TOKENIZERS.values():  # nothing, or one token in front
        assert offline_page._tokens_after(make()) == 0


WORKER = """
const caches = {names: new Set(JSON.parse(process.argv[1])),
  keys: async () => [...caches.names], delete: async name => caches.names.delete(name), open: async name => caches.names.add(name)};
const found = {}, self = {registration: {scope: 'http://a.example/one/'}, addEventListener: (name, act) => { found[name] = act; }};
new Function('self', 'caches', require('fs').readFileSync(0, 'utf8'))(self, caches);
found.activate({waitUntil: work => work.then(() => console.log(JSON.stringify([...caches.names])))});
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_a_new_version_deletes_the_files_of_the_older_ones_of_its_own_page_only():
    worker = (ASSETS / "offline" / "offline.js").read_text(encoding="utf-8").replace("@VERSION@", "new")
    ours, others = (
        "deftx http://a.example/one/ ",
        ["deftx http://a.example/two/ old", "deftx http://a.example/ old", "x"],
    )
    names = json.dumps([ours + "old", ours + "new", *others])
    ran = subprocess.run(["node", "-e", WORKER, names], input=worker, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [ours + "new", *others]
