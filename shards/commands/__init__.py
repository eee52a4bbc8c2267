"""The commands of `m3w shards`: each parses, calls the library and prints."""
