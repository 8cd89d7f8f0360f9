"""The texts and tables beside the plots of a spectrum."""

from deftx.analysis.mask_change import MaskChange
from deftx.analysis.rank_preview import JUDGED_AT, Outcome, WhatIf, place_of
from deftx.analysis.spectra import Spectra, Spectrum
from deftx.method.noise import cumulative_share, noise_like, noise_rank, unit_noise
from deftx.method.ranks import SMALLEST
from ui import strings
from ui.shared import views
from ui.spectra.spectra_facts import Source
from ui.spectra.spectra_figures import layer_name

ROWS = (1, 2, 3, 5, 8, 10, 20, 30, 50, 80, 100, 200, 300, 500, 768, 1000)  # numbers of values that a table shows
MOST_NAMED = 4


def matrix_name(parameter: str) -> str:
    """Return the name of a matrix in the list of matrices."""
    layer, kind = place_of(parameter)
    return f"{layer_name(layer)} · {kind}"


def summary(spectra: Spectra, found: WhatIf) -> str:
    """Summarise what a strategy chooses over all matrices, and how many of them have structure."""
    total = len(found.matrices)
    shown = views.figures(
        [
            (strings.STRATEGY_SHOWN, found.strategy),
            (strings.MEDIAN_RANK, f"{found.median_rank:,.0f}"),
            (strings.ENERGY_KEPT, f"{found.energy:.1%}"),
            (strings.UNSTRUCTURED, strings.SO_MANY_OF.format(count=len(found.unstructured), total=total)),
        ]
    )
    note = "" if spectra.of.startswith("δ") else views.notice(strings.SPECTRUM_OF_PHI)
    return shown + note + views.paragraph(_structure(found), "quiet")


def _structure(found: WhatIf) -> str:
    near = found.unstructured
    if not near:
        return strings.STRUCTURE_EVERYWHERE
    names = ", ".join(map(matrix_name, near[:MOST_NAMED]))
    if len(near) > MOST_NAMED:
        return strings.NO_STRUCTURE_IN_MANY.format(names=names, more=len(near) - MOST_NAMED)
    return strings.NO_STRUCTURE_IN.format(names=names)


def matrix_words(spectrum: Spectrum, one: Outcome) -> str:
    """Compare one matrix with pure noise, in plain words."""
    if one.against_noise is None:
        return views.paragraph(strings.MATRIX_TOO_SMALL.format(least=SMALLEST), "quiet")
    noise = noise_rank(one.shape, JUDGED_AT)
    text = strings.MATRIX_STRUCTURED if one.structured else strings.MATRIX_NOISY
    rank = round(one.against_noise * noise)
    return views.paragraph(text.format(rank=rank, full=min(one.shape), noise=noise), "quiet")


def values_table(spectrum: Spectrum, rank: int) -> str:
    """Show the numbers of both plots at some of the values, including the chosen rank."""
    values = spectrum.values[: min(spectrum.shape)]
    noise, shape = noise_like(values, spectrum.shape), tuple(spectrum.shape)
    shares, noise_shares = cumulative_share(values), cumulative_share(unit_noise(shape))
    chosen = {*ROWS, rank, spectrum.chosen or 1, len(values)}
    lines = [
        (f"{n:,}", f"{values[n - 1]:.3g}", "–" if noise is None else f"{noise[n - 1]:.3g}",
         f"{shares[n - 1]:.1%}", f"{noise_shares[n - 1]:.1%}")
        for n in sorted(chosen) if 0 < n <= len(values)
    ]  # fmt: skip
    heads = (
        strings.NUMBER_HEAD,
        strings.VALUE_HEAD,
        strings.NOISE_VALUE_HEAD,
        strings.SHARE_HEAD,
        strings.NOISE_SHARE_HEAD,
    )
    return views.table(heads, lines)


def map_table(found: WhatIf) -> str:
    """List every matrix with its size, rank and energy, and the same for pure noise."""
    heads = (strings.MATRIX_HEAD, strings.SHAPE_HEAD, strings.MEASURES["rank"], strings.ENERGY_KEPT,
             strings.NOISE_RANK_HEAD, strings.MEASURES["noise"])  # fmt: skip
    lines = [
        (matrix_name(name), "×".join(f"{side:,}" for side in one.shape), f"{one.rank:,}", f"{one.energy:.1%}",
         f"{one.noise:,}", "–" if one.against_noise is None else f"{one.against_noise:.0%}")
        for name, one in found.matrices.items()
    ]  # fmt: skip
    return views.table(heads, lines)


def mask_words(source: Source, change: MaskChange, strategy: str) -> str:
    """Describe how much of the mask would change."""
    text = strings.MASK_CHANGED if source.vector else strings.MASK_CHANGED_OWN
    said = text.format(strategy=strategy, shared=change.shared, k=change.k, share=change.changed)
    filled = f" {strings.MASK_FILLED.format(count=change.filled)}" if change.filled else ""
    return views.notice(said + filled, kind="good")
