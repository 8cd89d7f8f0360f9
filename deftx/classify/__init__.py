"""A composed classifier: its predictions, its explanation, and judging it by hand.

It imports training and what that may import.
"""
