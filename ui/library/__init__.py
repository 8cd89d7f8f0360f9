"""The section Library."""
