"""Malformed files of every kind that a person can bring are read, or refused in one clear message; nothing else happens.

``pytest tests/test_malformed_files.py tests/test_malformed_text.py --hypothesis-profile long --timeout 0`` tries 10,000 inputs
for each reader (docs/security.md).
"""

import base64
import hashlib
import json
import shutil
import zlib
from contextlib import suppress

import good_files
import malformed
import pytest
import tiny_vectors
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from reading_checks import assert_read_or_refused

from deftx.classify import self_check
from deftx.classify.self_check import Check
from deftx.core.errors import CorpusError
from deftx.core.tags import spans
from deftx.data import table_columns, unlabelled
from deftx.data.tables import read_table
from deftx.data.text import columns_of, read_corpus, unused_lines
from deftx.data.token_rows import TokenTable, check_tokens, hold_out_sentences, join_token_tables
from deftx.data.token_tables import read_labelled, read_tokens
from deftx.data.words_to_tag import read_to_tag
from deftx.models.bases import load_base
from deftx.models.trim_note import read_note
from deftx.models.windows import encode_words
from deftx.publish.importing import Wishes, bring_file
from deftx.publish.own_vectors import OwnVectors
from deftx.training.base_facts import read_base_facts
from deftx.training.settings_file import open_file
from deftx.vectors.card import write_card
from deftx.vectors.lifting import lift
from deftx.vectors.lt_sft import FILE, read_lt_sft
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import INFO, TENSORS, info_sha256

TABLES = good_files.tables()
# A Parquet file whose rows point behind the last text of its dictionary.
BAD_DICTIONARY = zlib.decompress(base64.b85decode(
    b"c-oy*&2JJx6o32C%~B!VHkrw;A!bAD1`}EVEutZjfr2(-KS-KNZwqWF4G6+gdgS22Lk~TA?AfCS&z_7Y|Ar?113fmzgEO-"
    b"(NWp`?Y~Gvwz4w0aV<)>y$_XT+&l0*2N=QSn0&pp`bO7kv?!c@MY%^}U&4wK_BTl<(yOCrVAaP7plBowwJv{cY6jkX*(+LO=Mz>>>T|){|!Y"
    b"PRAWAYoZy8gGa%geN<TTzi}O^~E_Uw+WO@1RJD8rJnvTB5G1U6-k8bUJlfb_L<7vNFSUi3V}Dfa$Rb(g#X164184f-"
    b"Id*0QvH1U<s~5DqM$D8L|N#<dAw-rCuh%?9It^)%W-(7-"
    b"5LcLFY|llr}(D`n4mcZ6gIxa8=Z0*Ew}pp+r~f0Shg=>a=`hks<wBr{@6HjIfchAdG^>1}K{0<suPl_-"
    b"p}RiPl%aQvZMXMvN^Qi9nS`O$Lu7LoqDSXd{1?^*ZEr&jtKmus%uFwK%i>S-$iX-"
    b"J(y&$K!M#Mf_H@e#+Ll{BNtCsddk<gukg+vs8ShfDzV%q+H%Pc;bBm{X)FY<S}8gM?85!$dKe3q)14E<Qp8z<p_Dn4tYYhI54rqbLHafv@@p"
    b"4cNjGfIptt&63?Z`!Q}Qyt-a6cQN9YZo-{TqetxdZk;=UM>a$|=@L)(!n_DctK*&DpoANwobMR)yNrhs8lW@E+q1xm9AHF(@`|r8me$dUX-"
    b"Fq`|+_hS_yJq)#ouPT+^!m-tYcrWzkFO_;485q{1K;U&-=#mCUj!fCd;"
))  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def offline():
    """Ids of the Hub are looked at, never asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    """A base of 19 pieces, of which NOTE's trimmed base has every second one."""
    folder = tmp_path_factory.mktemp("parent")
    for name, content in good_files.bases()[0].items():
        (folder / name).write_bytes(content)
    return load_base(folder)


def tables():
    """(name, content) of a table."""
    return st.sampled_from(sorted(TABLES)).flatmap(
        lambda ending: malformed.named_file(ending, [TABLES[ending]], malformed.table(ending))
    )


def documents(good):
    """(name, content) of a document, ``good`` are good ones by ending."""
    return st.sampled_from(sorted(good)).flatmap(lambda ending: malformed.named_file(
        ending, [good[ending]], (malformed.repacked if good[ending].startswith(b"PK") else malformed.damaged)(good[ending])
    ))  # fmt: skip


TEXT_DOCUMENTS, WORKBOOKS = good_files.documents()


@pytest.mark.slow
@given(
    tables()
    | malformed.named_file(".txt", good_files.TEXTS, malformed.lines())
    | documents(TEXT_DOCUMENTS | WORKBOOKS),
    st.sampled_from((None, "text", "body", "")),
)
def test_corpora(file, column):
    assert_read_or_refused(
        dict([file]),
        lambda folder: read_corpus(folder / file[0], column=column),
        lambda folder: read_corpus(folder, column=column),
        lambda folder: sum(1 for _ in unused_lines(folder)),
        lambda folder: columns_of(folder / file[0]),
    )


@given(tables() | documents(WORKBOOKS), st.sampled_from((None, {"text": "a"}, {"label": "text"}, {"x": "y"})))
@example(("no column.JSONL", b"{}"), None)
@example(("-rf.parquet", BAD_DICTIONARY), None)
def test_tables(file, columns):
    def classify(folder):
        rows = unlabelled.read_texts(folder / file[0])
        out = folder.parent / "out.csv"
        try:
            unlabelled.write_rows(out, rows, {"=label": ["@x"] * len(rows.texts)})
        finally:
            out.unlink(missing_ok=True)

    def guess(folder):
        named, _ = table_columns.table_columns(folder / file[0])
        table_columns.guess_columns(folder / file[0], named)
        table_columns.guess_text_column(folder / file[0], named, CorpusError)

    assert_read_or_refused(dict([file]), lambda folder: read_table(folder / file[0], columns=columns), classify, guess)


def words_with_tags():
    """(name, content) of a file of words with tags."""
    good = good_files.words_with_tags()
    return st.sampled_from(sorted(good)).flatmap(lambda ending: malformed.named_file(
        ending, [good[ending]], (malformed.token_table if ending in TABLES and ending != ".tsv" else malformed.conll)(ending)
    ))  # fmt: skip


@pytest.mark.slow
@given(words_with_tags(), st.sampled_from((None, None, {"tags": "x"}, {"tokens": "form", "tags": "upos"}, {"x": "y"})))
def test_words_with_tags(parent, file, columns):
    def learn_from(found):
        if isinstance(found, TokenTable):
            check_tokens(found, found)
            train, valid = hold_out_sentences(found, 0.5, 1)
            assert len(join_token_tables([train, valid])) == len(found)
            list(map(spans, found.tags))
            windows = encode_words(parent.tokenizer, found.sentences, 32)
            assert sum(len(window.places) for window in windows) == sum(map(len, found.sentences)) > 0

    assert_read_or_refused(dict([file]), lambda folder: learn_from(read_labelled(folder / file[0], columns=columns)))
    assert_read_or_refused(dict([file]), lambda folder: learn_from(read_tokens(folder / file[0])))
    assert_read_or_refused(dict([file]), lambda folder: read_corpus(folder / file[0]))

    def tag(folder):
        found = read_to_tag(folder / file[0])
        assert len(found.rows.texts) == len(found.rows.positions) == len(found.words or found.rows.texts) > 0
        assert all(map(len, found.words or ()))

    assert_read_or_refused(dict([file]), tag)


@given(st.sampled_from(good_files.SETTINGS).flatmap(
    lambda good: malformed.named_file(".json", [good], malformed.malformed_json(json.loads(good)))
))  # fmt: skip
def test_settings(file):
    assert_read_or_refused(dict([file]), lambda folder: open_file(folder / file[0]))


@st.composite
def vectors(draw):
    """The files of a vector, one or both malformed; mostly with checksums that fit again."""
    files = dict(good_files.vector())
    if draw(st.booleans()):
        files[TENSORS] = draw(malformed.tensors(files[TENSORS]))
    if draw(st.booleans()):
        files[INFO] = draw(malformed.malformed_json(json.loads(files[INFO])))
    with suppress(ValueError, TypeError, RecursionError):  # damaged JSON, or NaN, cannot be sealed
        info = json.loads(files[INFO])
        info["tensors_sha256"] = hashlib.sha256(files[TENSORS]).hexdigest()
        info["info_sha256"] = info_sha256(info)
        files[INFO] = malformed.write_json(info)
    if not draw(st.integers(0, 20)):
        files[draw(st.sampled_from(sorted(files)))] = draw(st.sampled_from(malformed.ODD_FILES))
    return files


def use(vector):
    """Do with a vector what is done with every one that was taken in."""
    write_card(vector.info, vector.count)
    for name in vector.positions:
        if sum(vector.shapes[name]) < 10_000:
            vector.dense(name)
    vector.digest()


@given(vectors())
def test_vectors(files):
    assert_read_or_refused(files, lambda folder: use(SparseVector.load(folder)))


@given(
    st.sampled_from(good_files.lt_sft()).flatmap(malformed.damaged)
    | malformed.pickled().map(good_files.with_pickle)
    | malformed.pickled()
    | st.sampled_from(malformed.ODD_FILES)
)
def test_lt_sft_files(content):
    assert_read_or_refused({FILE: content}, lambda folder: use(read_lt_sft(folder, good_files.BASE)))


@st.composite
def archives(draw):
    """(name, content) of a zip with the files of a vector."""
    files = draw(vectors()) if draw(st.booleans()) else good_files.vector()
    zipped = malformed.archive(
        {name: st.just(content) for name, content in files.items() if isinstance(content, bytes)}
    )
    return draw(malformed.named_file(".zip", [draw(zipped)], zipped))


@pytest.mark.slow
@given(archives(), malformed.words, malformed.words)
def test_archives(file, title, language):
    def bring(folder):
        home = folder.parent / "home"
        kept = bring_file(OwnVectors(home), folder / file[0], file[0], lambda: good_files.BASE, Wishes(title, language))
        shutil.rmtree(kept.folder)  # it was good, and was meant to stay

    assert_read_or_refused(dict([file]), bring)


@st.composite
def bases(draw):
    """The files of a base, one of them malformed."""
    files = dict(draw(st.sampled_from(good_files.bases())))
    name = draw(st.sampled_from([name for name in sorted(files) if name.endswith((".json", ".safetensors"))]))
    made = (
        malformed.tensors(files[name])
        if name.endswith(".safetensors")
        else malformed.malformed_json(json.loads(files[name]))
    )
    files[name] = draw(made if draw(st.integers(0, 30)) else st.sampled_from(malformed.ODD_FILES))
    return files


@pytest.mark.slow
@given(bases())
def test_bases(files):
    assert_read_or_refused(files, lambda folder: read_base_facts(str(folder)), load_base)


NOTE = json.loads(good_files.bases()[0]["trimmed.json"])


@given(malformed.malformed_json(NOTE))
def test_notes_of_trimmed_bases(content):
    assert_read_or_refused({"config.json": b"{}", "trimmed.json": content}, read_note)


@given(malformed.changed_json(NOTE).map(json.loads), st.data())
def test_vectors_that_are_carried_by_a_malformed_note(parent, told, data):
    """The fingerprints are right: whoever changes a note can write them as well."""
    if isinstance(told, dict):
        told["fingerprint"] = NOTE["fingerprint"]
        if isinstance(told.get("parent"), dict):
            told["parent"]["fingerprint"] = parent.fingerprint
    rows = data.draw(st.sampled_from((9, 9, 8, 19, 1)))
    vector = tiny_vectors.make_vector(
        shapes={"roberta.embeddings.word_embeddings.weight": (rows, 16)}, trimmed=told,
        base={"name": "part", "revision": None, "fingerprint": NOTE["fingerprint"]},
    )  # fmt: skip
    vector.head["lm_head.bias"] = torch.zeros(data.draw(st.sampled_from((rows, 7))))
    assert_read_or_refused({}, lambda folder: use(lift(vector, parent).vector))


CHECK = good_files.check()


@given(
    malformed.changed_json(CHECK.asked).map(json.loads) | malformed.json_values,
    malformed.malformed_json(CHECK.stored),
    malformed.malformed_json({"title": "a", "origin": "b", "added": 1.5, "trashed": None}),
)
def test_checks_and_the_notes_of_vectors(asked, stored, own):
    places = f"checks/{'ab' * 8}/0123456789abcdef.json", "vectors/some/own.json", f"vectors/some/{INFO}"
    assert_read_or_refused(
        dict(zip(places, (stored, own, good_files.vector()[INFO]), strict=True)),
        lambda folder: Check.from_dict(asked).accuracy(),
        lambda folder: self_check.load(folder, "ab" * 32),
        self_check.load,
        lambda folder: OwnVectors(folder).list(),
    )


def test_good_files_are_read():
    """Were these refused, the malformed ones would prove nothing."""
    named = {f"a{ending}": content for ending, content in (TABLES | WORKBOOKS).items()}
    assert (
        assert_read_or_refused(
            named, *(lambda folder, name=name: _need(len(read_table(folder / name)) == 8) for name in named)
        )
        == []
    )
    named = {f"a{ending}": content for ending, content in good_files.words_with_tags().items()}
    readers = [lambda folder, name=name: _need(len(read_labelled(folder / name)) == 8) for name in named]
    assert assert_read_or_refused(named, *readers) == []
    for ending, content in {".txt": good_files.TEXTS[1], **TEXT_DOCUMENTS}.items():
        assert assert_read_or_refused({f"a{ending}": content}, lambda folder: _need(read_corpus(folder).lines)) == []
    assert assert_read_or_refused(good_files.vector(), lambda folder: use(SparseVector.load(folder))) == []
    for content in good_files.lt_sft():
        assert assert_read_or_refused({FILE: content}, lambda folder: use(read_lt_sft(folder, good_files.BASE))) == []
    for files in good_files.bases():
        assert assert_read_or_refused(files, read_base_facts, lambda folder: _need(load_base(folder).trimmed)) == []
    for content in good_files.SETTINGS:
        assert assert_read_or_refused({"a.json": content}, lambda folder: open_file(folder / "a.json")) == []


def _need(holds):
    assert holds


def _refuse(message):
    raise CorpusError(message)


@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (lambda folder: {}["x"], KeyError),
        (lambda folder: (folder / "left.txt").touch(), AssertionError),
        (lambda folder: (folder / "there.txt").write_text("changed"), AssertionError),
        (lambda folder: (folder / "there.txt").unlink(), AssertionError),
        (lambda folder: _refuse("No."), AssertionError),
        (lambda folder: _refuse("expected <class 'int'> in the file"), AssertionError),
        (lambda folder: _refuse("Traceback (most recent call last) of it"), AssertionError),
    ],
)
def test_every_breach_is_noticed(read, fault):
    with pytest.raises(fault):
        assert_read_or_refused({"there.txt": b"x"}, read)
