"""What the spectra and masks of finished vectors show.

It imports classify and what that may import.
"""
