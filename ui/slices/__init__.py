"""Training on a Space with ZeroGPU: the calls to its GPU, which the page of whoever started a training run makes."""
