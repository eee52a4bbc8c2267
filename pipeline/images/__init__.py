"""Image bytes: where they come from, what is done to them, and the packs they are kept in."""
