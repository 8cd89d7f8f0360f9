"""Without these, an audit in a process of its own could count other tokens than one in the server."""

import pytest

from deftx.core.plain import from_json, to_json
from deftx.data.audit import audit
from deftx.data.bare_tokenizer import BareTokenizer
from deftx.data.nearest import count_pieces, tokenizer_fingerprint
from deftx.data.text import Corpus
from deftx.models.bases import BUNDLED_BASE, load_base

LINES = ["Makanan di sini enak sekali", "the <s> food &amp; <mask>  is\u200b good", "ꦲꦏ꧀ꦱꦫꦗꦮ 𐍈", "x" * 3_000, "  a\tb "]


@pytest.mark.slow
def test_it_reads_as_the_tokenizer_that_it_is_made_of(base):
    for tokenizer in (base.tokenizer, load_base(BUNDLED_BASE).tokenizer):
        bare = from_json(to_json(BareTokenizer.of(tokenizer)))
        wanted = tokenizer(LINES, add_special_tokens=False, return_offsets_mapping=True)
        assert bare(LINES)["input_ids"] == wanted["input_ids"]
        assert bare(LINES)["offset_mapping"] == wanted["offset_mapping"]
        assert bare.unk_token_id == tokenizer.unk_token_id
        assert set(bare.all_special_ids) == set(tokenizer.all_special_ids)
        assert tokenizer_fingerprint(bare) == tokenizer_fingerprint(tokenizer)
        assert count_pieces(LINES, bare) == count_pieces(LINES, tokenizer)
        corpus = Corpus(LINES, (("a.txt", len(LINES)),), "", {})
        assert audit(corpus, bare) == audit(corpus, tokenizer)


def test_a_tokenizer_written_in_python_has_no_plain_form():
    assert BareTokenizer.of(object()) is None
    assert BareTokenizer.of(None) is None
