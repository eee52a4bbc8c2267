"""HTML of a page to text and images in reading order; pure functions, no Beam, no network."""
