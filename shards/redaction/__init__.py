"""Samples and images taken out of a dataset that is published: found, hidden, written anew."""
