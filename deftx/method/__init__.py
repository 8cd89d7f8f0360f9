"""Algorithm 1 of the paper, lines 7 to 14: spectra, ranks, denoising and the selection of entries.

It imports core alone.
"""
