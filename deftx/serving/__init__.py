"""Serving a classifier over HTTP: many languages on one base, batches across requests. Needs the extra ``serve``."""
