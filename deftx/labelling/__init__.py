"""Labelling: people judge sentences of a text; their answers become a test set, training rows and a score.

Nothing is imported here: the parts are found in the modules of this package.
"""
