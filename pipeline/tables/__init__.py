"""Tables of any form and size, here or elsewhere, to rows of plain values."""
