"""Rules on single images, by what decoding measured and what is known of their addresses."""
