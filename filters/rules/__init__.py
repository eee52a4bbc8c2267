"""The tables of a profile, one module each: which filters it asks for, and their bounds."""
