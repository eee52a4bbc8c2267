"""Search by meaning in embeddings that lie beside a dataset, in clip-retrieval's layout.

What is here needs NumPy and, for an approximate index, faiss; never torch. The model that turns a
question into a vector is handed in (`questions.Encoder`).
"""
