"""`python -m openm3w` is `m3w`."""

from openm3w.cli import main

main()
