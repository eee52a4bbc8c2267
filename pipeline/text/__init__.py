"""Text shards: pages of web archives without their pictures, WET records, and JSON lines."""
