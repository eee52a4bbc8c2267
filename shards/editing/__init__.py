"""Datasets made of datasets: merged, cut anew, shuffled; and indexes made again."""
