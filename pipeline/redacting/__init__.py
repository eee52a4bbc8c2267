"""Deletion requests: what they mean, and what goes out of the stores of builds."""
