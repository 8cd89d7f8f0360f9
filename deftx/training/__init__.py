"""The two phases of training, their objectives, settings, checkpoints and estimates.

It imports vectors and what that may import.
"""
