"""Malformed input for every reader that a person can feed, drawn from a seed: the same seed, the same inputs."""
