"""Getting images from the web: guarded, bounded, polite, and never twice."""
