"""Calls to the GPU of ZeroGPU: those that train, made by the page of whoever started a training run, and those for long files."""
