"""Basics that every other package uses: errors, events, sizes, seeds, evaluation.

It imports no other package of deftx.
"""
