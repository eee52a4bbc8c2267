"""Pure decisions with countable reasons, and the named profiles made of them."""
