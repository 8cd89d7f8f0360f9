"""A start for word embeddings: what stands near a token, by counting (Levy and Goldberg 2014).

Positive pointwise mutual information of the tokens that stand within four places of each other, and of that the largest
256 directions. It costs a minute, and spares the first millions of tokens of pretraining.
"""

import numpy as np
import torch
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

WINDOW = 4  # places to either side; one at distance d counts 1/d
SMOOTHING = 0.75  # of the counts of contexts, against the pull of rare ones (Levy et al. 2015)
SPREAD = 0.05  # the standard deviation that the embeddings are brought to
CHUNK = 20_000  # sequences that are counted at a time


def count_neighbours(sequences: Tensor, size: int) -> csr_matrix:
    """Count how often tokens stand near each other: (size, size), symmetric."""
    counts = csr_matrix((size, size), dtype=np.float32)
    for rows in sequences.split(CHUNK):
        tokens = rows.numpy()
        for distance in range(1, WINDOW + 1):
            left, right = tokens[:, :-distance].ravel(), tokens[:, distance:].ravel()
            weights = np.full(len(left), 1 / distance, dtype=np.float32)
            counts += coo_matrix((weights, (left, right)), shape=(size, size)).tocsr()
    return counts + counts.T


def positive_information(counts: csr_matrix) -> csr_matrix:
    """Return max(0, log P(a, b) / (P(a)·P(b))) where a and b were seen together."""
    pairs = counts.tocoo()
    total = counts.sum()
    tokens = np.asarray(counts.sum(axis=1)).ravel() / total
    contexts = tokens**SMOOTHING / (tokens**SMOOTHING).sum()
    with np.errstate(divide="ignore"):
        information = np.log(pairs.data / total) - np.log(tokens[pairs.row]) - np.log(contexts[pairs.col])
    kept = information > 0
    return csr_matrix((information[kept], (pairs.row[kept], pairs.col[kept])), shape=counts.shape, dtype=np.float32)


def start_embeddings(sequences: Tensor, size: int, dimensions: int, special: list[int], seed: int) -> Tensor:
    """Return (size, dimensions) float32 of mean 0 and spread ``SPREAD``; unseen and special tokens get small noise."""
    counts = count_neighbours(sequences, size)
    u, s, _ = randomized_svd(positive_information(counts), n_components=dimensions, random_state=seed)
    found = torch.from_numpy(u * np.sqrt(s)).float()  # the symmetric share of the singular values
    seen = torch.from_numpy(np.asarray(counts.sum(axis=1)).ravel() > 0)
    seen[special] = False
    start = torch.randn(size, dimensions, generator=torch.Generator().manual_seed(seed)) * 0.02
    chosen = found[seen] - found[seen].mean(0)
    start[seen] = chosen / chosen.std() * SPREAD
    return start
