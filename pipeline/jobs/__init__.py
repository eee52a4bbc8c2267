"""The five jobs of a build: for each, what one unit of work does, and the Beam graph around it."""
