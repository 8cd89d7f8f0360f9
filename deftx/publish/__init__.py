"""Exports, pushes to the Hub, and import of vectors.

It imports only core, method, data, hub, models, vectors, training, classify and analysis.
"""
