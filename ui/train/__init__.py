"""The section Train: the form, its preview, and the request that it becomes."""
