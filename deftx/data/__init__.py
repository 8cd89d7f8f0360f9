"""Reading, checking and cleaning of texts and labelled tables, before training.

It imports only core and method.
"""
