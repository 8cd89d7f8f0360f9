"""What every other package may use: errors, events, sizes, seeds, evaluation.

It imports nothing of deftx.
"""
