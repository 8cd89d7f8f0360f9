"""The section Test: composing vectors, classifying, scoring."""
