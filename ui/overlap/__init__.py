"""The section Overlap."""
