"""The Hugging Face Hub: client, errors and downloads.

It imports only core, method and data.
"""
