"""The sparse vector: files, model card, LT-SFT files, and applying, merging and comparing vectors.

It imports only core, method, data, hub and models.
"""
