"""Embeddings of a dataset for search by meaning: `m3w index`, `m3w search`."""
