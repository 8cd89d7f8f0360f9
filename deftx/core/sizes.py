"""Bytes as a person reads them."""


def read_size(count: float) -> str:
    """Write bytes as a person reads them: "3.3 GB", "9.9 MB"."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{max(0, count) / 1e6:,.1f} MB"
