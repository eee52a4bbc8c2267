"""What `benchmarks/extraction.py` measures with: engines, turns, scores, memory."""
