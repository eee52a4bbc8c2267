"""The Document, its form on disk, and how people look at it."""
