"""A base with language vectors as an embedding model: a folder that sentence-transformers loads."""

import copy
import os
from collections.abc import Mapping, Sequence
from typing import Any

from deftx.classify.classifier import describe_tokenizer
from deftx.classify.composition import load_for
from deftx.core.errors import VectorError
from deftx.core.events import Listener, ignore
from deftx.core.files import expanded, new_folder, require_empty, require_free_space, write_json
from deftx.core.names import base_name
from deftx.models.bases import Base
from deftx.models.parameters import sparse_trainable
from deftx.vectors.apply import Scaled, apply_changes
from deftx.vectors.card_data import metadata_of
from deftx.vectors.card_markup import CITATION, TAGS, code, front_matter
from deftx.vectors.merging import PAPER, merge
from deftx.vectors.vector_files import CARD

POOLING = "1_Pooling"
LONGEST = 256  # tokens
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": POOLING, "type": "sentence_transformers.models.Pooling"},
]


def write_embedder(
    base: Base, vectors: Sequence[Scaled], folder: str | os.PathLike, method: str = PAPER,
    parameters: Mapping[str, float] | None = None,
) -> int:  # fmt: skip
    """Write the encoder with language vectors and mean pooling, for sentence-transformers; return the embedding's size.

    Args:
        base: The base.
        vectors: Language vectors with their strengths.
        folder: A new or empty folder.
        method: The merge method.
        parameters: Parameters of the merge method.

    Raises:
        DeftxError: If no vector is given, one does not fit, or the folder is not empty.
    """
    if not vectors:
        raise VectorError("Give at least one language vector: without one, the embedding model is the base itself.")
    folder = expanded(folder)
    require_empty(folder, "embedding model")
    changes, _ = merge([(load_for(base, vector, "language"), s) for vector, s in vectors], method, parameters)
    model = copy.deepcopy(base.model)
    apply_changes(sparse_trainable(model), changes, {})
    require_free_space(folder, sum(p.numel() * p.element_size() for p in model.parameters()))
    length = base.fitting_length(LONGEST, Listener(ignore, lambda: False))
    size = int(model.config.hidden_size)
    with new_folder(folder) as fresh:
        encoder: Any = model.base_model
        encoder.save_pretrained(fresh)
        base.tokenizer.save_pretrained(fresh)
        describe_tokenizer(fresh / "tokenizer_config.json", base.tokenizer, length)
        write_json(fresh / "modules.json", MODULES)
        write_json(fresh / "sentence_bert_config.json", {"max_seq_length": length, "do_lower_case": False})
        (fresh / POOLING).mkdir()
        pooling = {"word_embedding_dimension": size, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
        write_json(fresh / POOLING / "config.json", pooling)
        (fresh / CARD).write_text(_card(folder.resolve().name, base, vectors), encoding="utf-8")
    return size


def _card(name: str, base: Base, vectors: Sequence[Scaled]) -> str:
    entries = {
        "library_name": "sentence-transformers", "pipeline_tag": "sentence-similarity", "tags": list(TAGS),
        **metadata_of({"name": base.name, "revision": base.revision}, vectors[0][0].language, None),
    }  # fmt: skip
    listed = "\n".join(f"- {code(vector.name)}, strength {strength:g}" for vector, strength in vectors)
    return f"""{front_matter(entries)}

# {code(name)}

Embeddings of sentences: the mean of the last hidden states of {code(base_name(base.name))} with these language vectors (DeFT-X):

{listed}

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(".")
print(model.similarity(model.encode(["a sentence"]), model.encode(["another sentence"])))
```

The vectors were trained to predict words, not to compare sentences: measure on your own texts whether they help.

{CITATION}
"""
