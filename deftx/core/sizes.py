"""Formatting of sizes in bytes."""


def read_size(count: float) -> str:
    """Format a number of bytes, e.g. "3.3 GB" or "9.9 MB"."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{max(0, count) / 1e6:,.1f} MB"
