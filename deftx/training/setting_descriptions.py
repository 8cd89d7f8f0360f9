"""What every setting of a recipe means, one line each: the form and the command line say the same.

It imports nothing, so that ``--help`` answers at once; the settings themselves are in ``deftx/training/recipes.py``.
"""

MEANINGS = {
    "method": "How the entries are chosen: deft-x denoises first, lt-sft takes the largest as they are, random draws.",
    "rank": "How many singular values count as signal: variance:p, uniform:r, optimal, mp or none.",
    "keep": "Share of each matrix's residual (what is not signal) that stays, the largest first; the paper keeps 0.05.",
    "ablate": "Leave a part of the method out, to see what it is worth: no-residual, dense-delta or no-retrain.",
    "k": "How many weights the vector changes: a share up to 1, or a number of entries.",
    "seed": "Fixes every random draw: the same seed gives the same vector on the same machine.",
    "learning_rate": "How far a step moves the weights at the start; it falls to 0 in a straight line.",
    "batch_size": "Sequences or rows that one optimiser step learns from.",
    "accumulation": "Parts into which a batch is cut to save memory; the result is the same.",
    "max_length": "Tokens that are read at a time; longer texts are cut.",
    "epochs": "Passes over the training text, in each of the two phases.",
    "min_steps": "Optimiser steps of a phase at the least, however little text there is.",
    "max_steps": "Optimiser steps of a phase at the most, however much text there is; none sets no limit.",
    "dense_epochs": "Passes in the dense phase, where they differ from epochs; none keeps them equal.",
    "evaluate_every": "Optimiser steps between two looks at the held-out text; the best look is kept.",
    "l1": "Weight of a penalty on every change, which keeps changes few; 0 turns it off.",
    "precision": "Of the matrix products: auto, float32 or bfloat16 (faster where the device has it).",
    "clip": "Longest gradient that is followed in full; a longer one is shortened to this.",
    "values": "How the vector's numbers are stored: float32, or float16 or bfloat16 at half the size.",
    "hold_out": "Share of the text kept apart to judge the training by, where no validation file is given.",
    "mask_share": "Share of the tokens that are hidden and have to be predicted.",
    "metric": "What decides which checkpoint is best: f1 (macro-F1) or accuracy.",
    "group_by_length": "Put texts of similar length together: faster, in another order than the paper's.",
}
