"""Algorithm 1 of the paper, lines 7 to 14: singular values, ranks, denoising and the selection of entries.

It imports only core.
"""
