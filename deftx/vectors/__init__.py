"""The sparse vector: its files, its card, LT-SFT files, applying, merging and comparing vectors.

It imports models and what that may import.
"""
