"""Analysis of the spectra and masks of finished vectors.

It imports only core, method, data, hub, models, vectors, training and classify.
"""
