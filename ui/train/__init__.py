"""The section Train: the form, its preview, and the resulting request."""
