"""What makes two documents the same, as functions of values: neither Beam nor files."""
