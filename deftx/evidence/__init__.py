"""The paper's tables: training of vectors and baselines, scores, and statistics."""
