"""What is remembered of fetches: rows, bytes, tombstones."""
