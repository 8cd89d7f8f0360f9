"""A description of every setting of a recipe, for the form and the command line.

It imports nothing, so that ``--help`` is fast; the settings themselves are in ``deftx/training/recipes.py``.
"""

MEANINGS = {
    "method": "How entries are selected: deft-x denoises first, lt-sft takes the largest without denoising, random chooses at random.",
    "rank": "How many singular values count as signal: variance:p, uniform:r, optimal, mp or none.",
    "keep": "Share of the entries of each matrix's residual (what is not signal) to keep, the largest first; the paper keeps 0.05.",
    "ablate": "Leave out a part of the method, to measure its effect: no-residual, dense-delta or no-retrain.",
    "k": "How many weights the vector changes: a share up to 1, or a number of entries.",
    "seed": "Seed of all random numbers: the same seed gives the same vector on the same machine.",
    "learning_rate": "Learning rate at the first step; it decays linearly to 0.",
    "sparse_learning_rate": "Learning rate of the sparse phase, if different; few weights need larger steps. None means the same.",
    "batch_size": "Sequences or rows per optimiser step.",
    "accumulation": "Parts into which a batch is split to save memory; the result is the same.",
    "max_length": "Longest input, in tokens; longer texts are cut.",
    "epochs": "Passes over the training text, in each of the two phases.",
    "min_steps": "Smallest number of optimiser steps per phase, even for little text.",
    "max_steps": "Largest number of optimiser steps per phase, even for much text; none means no limit.",
    "dense_epochs": "Passes in the dense phase, if different from epochs; none means the same.",
    "evaluate_every": "Optimiser steps between two evaluations on held-out data; the best checkpoint is kept.",
    "l1": "Weight of the L1 penalty on changes, which keeps them small; 0 turns it off.",
    "precision": "Precision of matrix products: auto, float32 or bfloat16 (faster if the device supports it).",
    "clip": "Largest gradient norm; larger gradients are scaled down to it.",
    "values": "Format in which the vector's values are stored: float32, or float16 or bfloat16 at half the size.",
    "hold_out": "Share of the data held out for evaluation, if no validation file is given.",
    "mask_share": "Share of the tokens that are masked and must be predicted. Not for decoders.",
    "lexicon_share": "Share of the words in a word list that it replaces, if one is given; none means all for a language, half for a task.",
    "trim": "Train with only the pieces that the text uses, which needs less memory; the vector fits the whole base.",
    "metric": "Metric that selects the best checkpoint: f1 (macro-F1; of names and answers, their own F1) or accuracy.",
    "window": "Of questions: longest input, a question with a part of its text, in tokens; none means 384.",
    "stride": "Of questions: tokens of a text that two neighbouring windows share; none means 128.",
    "n_best": "Of questions: how many possible answers are compared and shown; none means 20.",
    "group_by_length": "Batches of texts of similar length: faster, but in another order than the paper's.",
}
