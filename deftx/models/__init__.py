"""Base models: families, files, loading, and batches.

It imports only core, method, data and hub.
"""
