"""The section Test: compose vectors, classify and score."""
