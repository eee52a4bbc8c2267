"""The viewer in the browser: pages over a dataset, on this machine alone."""
