"""Shards to batches: tokens, packing, mixture, streams that resume exactly."""
