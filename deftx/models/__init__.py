"""Base models: their families, their files, loading them, and the batches that they read.

It imports the packages above it: core, method, data and hub.
"""
