"""The report of a run: where every page and image went, as one HTML file and as JSON."""
