"""Datasets of other formats to ours and back: a module for each format, and one registry."""
