"""Pretraining of the bundled base: text and tokenizer, a start for its embeddings, and what is kept of a run."""
