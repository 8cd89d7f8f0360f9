"""The commands of the command line.

A command imports what needs torch inside its function, so that other commands and ``--help`` start without it.
"""
