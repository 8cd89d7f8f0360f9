"""The commands of the command line, by what a person wants: look at things, train, use, exchange.

A command imports what needs torch inside of its function: the others, and ``--help``, then start without it.
"""
