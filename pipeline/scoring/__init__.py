"""Similarity of images with the text beside them."""
