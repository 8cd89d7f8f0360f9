"""The section Corpus: texts and labelled files."""
