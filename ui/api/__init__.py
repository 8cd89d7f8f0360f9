"""The HTTP endpoints for programs."""
