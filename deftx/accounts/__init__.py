"""User accounts and login.

It imports only core.
"""
