"""Duplicates over any number of documents, as Beam transforms."""
