"""``audit``, ``nearest``, ``spectrum`` and ``overlap``: inspecting texts and vectors."""

import argparse
from typing import Any

from deftx.commands import options, output
from deftx.core.errors import VectorError

# Matrices over all vectors, and groups of parameters for each pair.
MATRICES = {"overlap": "overlap", "chance": "by chance", "signs": "same sign"}
PARTS = {"layers": "per layer", "kinds": "per kind"}

STRATEGIES = ("variance:0.9", "uniform:100", "uniform:200", "uniform:300", "optimal", "mp")


def add_commands(commands: Any) -> None:
    """Add the commands."""
    audit = commands.add_parser("audit", help="check a corpus before training")
    audit.add_argument("corpus", metavar="CORPUS", nargs="+", help=options.CORPUS)
    options.add_column(audit)
    options.add_base(audit)
    audit.set_defaults(run=run_audit)
    nearest = commands.add_parser("nearest", help="find the known languages most similar to a corpus")
    nearest.add_argument("corpus", metavar="CORPUS", nargs="+", help="as for audit")
    nearest.add_argument("--base", metavar="B", help="base whose tokenizer is used (bundled base)")
    options.add_column(nearest)
    nearest.set_defaults(run=run_nearest)
    spectrum = commands.add_parser("spectrum", help="singular values of every matrix, and the rank of each strategy")
    spectrum.add_argument("vector", metavar="VECTOR|DELTA", help="a vector, or a folder that --delta wrote")
    spectrum.add_argument("--rank", metavar="R", nargs="+", default=STRATEGIES, help="strategies to compare")
    spectrum.set_defaults(run=run_spectrum)
    overlap = commands.add_parser("overlap", help="share of entries that vectors have in common (figures 2 and 3)")
    overlap.add_argument("vectors", metavar="VECTOR", nargs="+", help="two vectors or more")
    overlap.set_defaults(run=run_overlap)
    for parser in (audit, nearest):
        options.add_encoding(parser)
    for parser in (audit, nearest, spectrum, overlap):
        options.add_json(parser)


def run_audit(arguments: argparse.Namespace) -> None:
    """Read a corpus and print its audit."""
    from deftx.data.audit import audit
    from deftx.data.text import read_corpus

    corpus = read_corpus(arguments.corpus, column=arguments.column, encoding=arguments.encoding)
    audited = audit(corpus, options.load_base_of(arguments).tokenizer)
    found = audited.to_dict()
    shown = {**found, "scripts": {name: f"{share:.1%}" for name, share in found["scripts"].items() if share >= 0.001}}
    if found["unknown_rate"] is not None:
        shown["unknown_rate"] = f"{found['unknown_rate']:.3%}"
    shown["lengths"] = {f"{one.title} words": one.lines for one in audited.lengths if one.lines}
    rows = [(n.replace("_", " "), _plain(v)) for n, v in shown.items() if n != "warnings" and v not in (None, [], {})]
    lines = [output.table(("what", "value"), rows), *(f"warning: {warning}" for warning in found["warnings"])]
    output.result(found, arguments.json, "\n".join(lines))


def run_nearest(arguments: argparse.Namespace) -> None:
    """Compare a corpus with every known language, by letters and, for the bundled base, by pieces."""
    from dataclasses import asdict

    from deftx.data.languages import load_languages
    from deftx.data.nearest import nearest
    from deftx.data.text import read_corpus
    from deftx.jobs.home import registered_languages
    from deftx.models.bases import BUNDLED_BASE
    from deftx.training.base_facts import read_base_facts

    tokenizer = read_base_facts(arguments.base or BUNDLED_BASE).tokenizer
    corpus = read_corpus(arguments.corpus, column=arguments.column, encoding=arguments.encoding)
    found = nearest(corpus.lines, load_languages(registered_languages()), tokenizer)
    rows = [
        (near.code, near.name, f"{near.letters:.1%}", "–" if near.pieces is None else f"{near.pieces:.1%}")
        for near in found
    ]
    text = output.table(("code", "language", "letters shared", "pieces shared"), rows)
    output.result([asdict(near) for near in found], arguments.json, text)


def run_spectrum(arguments: argparse.Namespace) -> None:
    """Print the largest singular value of each matrix and its rank under each strategy."""
    from deftx.analysis.spectra import spectra_of

    spectra = spectra_of(arguments.vector)
    ranks = list(dict.fromkeys(arguments.rank))
    matrices = {name: spectrum.to_dict(ranks) for name, spectrum in spectra.matrices.items()}
    rows = [
        (name, "×".join(map(str, m["shape"])), f"{m['singular_values'][0] if m['singular_values'] else 0:.3g}",
         *m["ranks"].values(), m["chosen"] if m["chosen"] is not None else "–")
        for name, m in matrices.items()
    ]  # fmt: skip
    header = ("matrix", "shape", "σ1", *ranks, "chosen")
    text = f"Singular values of {spectra.of}\n{output.table(header, rows)}"
    output.result({"of": spectra.of, "matrices": matrices}, arguments.json, text)


def run_overlap(arguments: argparse.Namespace) -> None:
    """Print the overlap of each pair of vectors, that of chance and the agreement of signs; also by layer and kind."""
    from deftx.vectors.overlaps import as_tables, compare_all
    from deftx.vectors.vector import SparseVector

    if len(arguments.vectors) < 2:
        raise VectorError("An overlap needs two or more vectors.")
    pairs = compare_all([SparseVector.load(name) for name in arguments.vectors])
    found = as_tables([str(name) for name in arguments.vectors], pairs)
    tables = [
        *(_matrix(title, found["vectors"], found[key]) for key, title in MATRICES.items()),
        *(_parts(title, found["pairs"], key) for key, title in PARTS.items()),
    ]
    output.result(found, arguments.json, "\n\n".join(tables))


def _matrix(title: str, names: list[str], rows: list[list[float | None]]) -> str:
    lines = [(name, *map(_share, row)) for name, row in zip(names, rows, strict=True)]
    return output.table((title, *names), lines)


def _parts(title: str, pairs: list[dict[str, Any]], key: str) -> str:
    groups = list(dict.fromkeys(group for pair in pairs for group in pair[key]))
    rows = [
        (
            f"{pair['a']} – {pair['b']}",
            *(_share(pair[key][group]["overlap"]) if group in pair[key] else "–" for group in groups),
        )
        for pair in pairs
    ]
    return output.table((title, *groups), rows)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(part) for part in value)
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
