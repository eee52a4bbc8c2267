"""Samples of one or several datasets as one numbered row, and what can be told of them all."""
