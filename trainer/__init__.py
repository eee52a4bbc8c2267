"""The PyTorch side: encoders, the token-exact mixture, models and the training loop."""
