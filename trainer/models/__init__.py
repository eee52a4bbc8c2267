"""The parts of the models: decoder, positions, resampler, and the families made of them."""
