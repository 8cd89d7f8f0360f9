"""``audit``, ``spectrum`` and ``overlap``: looking at texts and vectors."""

import argparse
from typing import Any

from deftx.commands import options, output

STRATEGIES = ("variance:0.9", "uniform:100", "uniform:200", "uniform:300", "optimal", "mp")


def add_commands(commands: Any) -> None:
    """Add the three commands."""
    audit = commands.add_parser("audit", help="what a corpus is, and what is wrong with it")
    audit.add_argument(
        "corpus", metavar="CORPUS", nargs="+", help=".txt, .csv, .tsv, .jsonl, .parquet (.gz), or a folder"
    )
    options.add_base(audit)
    audit.set_defaults(run=run_audit)
    spectrum = commands.add_parser("spectrum", help="singular values of every matrix, and the rank of each strategy")
    spectrum.add_argument("vector", metavar="VECTOR|DELTA", help="a vector, or a folder that --delta wrote")
    spectrum.add_argument("--rank", metavar="R", nargs="+", default=STRATEGIES, help="strategies to compare")
    spectrum.set_defaults(run=run_spectrum)
    overlap = commands.add_parser("overlap", help="how many entries vectors share (figures 2 and 3)")
    overlap.add_argument("vectors", metavar="VECTOR", nargs="+", help="two vectors or more")
    overlap.set_defaults(run=run_overlap)
    for parser in (audit, spectrum, overlap):
        options.add_json(parser)


def run_audit(arguments: argparse.Namespace) -> None:
    """Read a corpus and say what it is."""
    from deftx.audit import audit
    from deftx.text import read_corpus

    corpus = read_corpus(arguments.corpus)
    audited = audit(corpus, options.load_base_of(arguments).tokenizer)
    found = audited.to_dict()
    shown = {**found, "scripts": {name: f"{share:.1%}" for name, share in found["scripts"].items() if share >= 0.001}}
    if found["unknown_rate"] is not None:
        shown["unknown_rate"] = f"{found['unknown_rate']:.3%}"
    shown["lengths"] = {f"{one.title} words": one.lines for one in audited.lengths if one.lines}
    rows = [(n.replace("_", " "), _plain(v)) for n, v in shown.items() if n != "warnings" and v not in (None, [], {})]
    lines = [output.table(("what", "value"), rows), *(f"warning: {warning}" for warning in found["warnings"])]
    output.result(found, arguments.json, "\n".join(lines))


def run_spectrum(arguments: argparse.Namespace) -> None:
    """Show each matrix's largest singular value and its rank under each strategy."""
    from deftx.spectra import spectra_of

    spectra = spectra_of(arguments.vector)
    matrices = {name: spectrum.to_dict(arguments.rank) for name, spectrum in spectra.matrices.items()}
    rows = [
        (name, "×".join(map(str, m["shape"])), f"{m['singular_values'][0] if m['singular_values'] else 0:.3g}",
         *m["ranks"].values(), m["chosen"] if m["chosen"] is not None else "–")
        for name, m in matrices.items()
    ]  # fmt: skip
    header = ("matrix", "shape", "σ1", *arguments.rank, "chosen")
    text = f"Singular values of {spectra.of}\n{output.table(header, rows)}"
    output.result({"of": spectra.of, "matrices": matrices}, arguments.json, text)


def run_overlap(arguments: argparse.Namespace) -> None:
    """Show the overlap of each pair of vectors, in total and per layer."""
    from deftx.errors import VectorError
    from deftx.overlaps import overlap_by_layer, overlap_matrix
    from deftx.vector import SparseVector

    if len(arguments.vectors) < 2:
        raise VectorError("An overlap is between vectors: name two or more.")
    vectors = [SparseVector.load(name) for name in arguments.vectors]
    matrix = overlap_matrix(vectors)
    places = range(len(vectors))
    layers = {
        f"{arguments.vectors[i]} – {arguments.vectors[j]}": overlap_by_layer(vectors[i], vectors[j])
        for i in places for j in places if i < j
    }  # fmt: skip
    names = [str(name) for name in arguments.vectors]
    total = output.table(("overlap", *names), [(names[i], *(f"{x:.2%}" for x in matrix[i])) for i in places])
    groups = list(dict.fromkeys(group for shares in layers.values() for group in shares))
    rows = [(pair, *(f"{shares.get(group, 0):.2%}" for group in groups)) for pair, shares in layers.items()]
    text = f"{total}\n\n{output.table(('per layer', *groups), rows)}"
    output.result({"vectors": names, "overlap": matrix, "layers": layers}, arguments.json, text)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(part) for part in value)
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
