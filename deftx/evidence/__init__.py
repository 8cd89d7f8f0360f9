"""The paper's tables: rows of vectors and baselines, what each scored, and how sure that is."""
