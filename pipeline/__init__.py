"""The Beam jobs that turn web archives, caption tables and text into shards."""
