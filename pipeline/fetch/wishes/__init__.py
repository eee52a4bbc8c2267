"""What sites say about being asked and about the use of what they have."""
