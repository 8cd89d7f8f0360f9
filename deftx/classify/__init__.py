"""A composed classifier: predictions, explanations, and evaluation by hand.

It imports only core, method, data, hub, models, vectors and training.
"""
