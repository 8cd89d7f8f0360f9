"""Reading texts and labelled tables, and what can be said of them before anything is trained.

It imports core and method.
"""
