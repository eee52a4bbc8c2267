"""The demo: a small web archive that is made here, and the whole chain run on it."""
