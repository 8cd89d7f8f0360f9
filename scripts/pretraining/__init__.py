"""Pretraining of the bundled base: text, initial weights, checkpoints, log and model card."""
