"""The Hugging Face Hub: its client, its errors, what is fetched from it.

It imports core, method and data.
"""
