"""Who may log in.

It imports core alone.
"""
