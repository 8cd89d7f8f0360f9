"""The section History."""
