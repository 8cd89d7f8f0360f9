"""The section Spectra."""
