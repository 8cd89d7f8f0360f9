"""Training: the two phases, objectives, settings, checkpoints and estimates.

It imports only core, method, data, hub, models and vectors.
"""
