"""Mixed traffic at full rate against two workers: whether memory stays flat, and nothing fails. See `scripts/soak`."""
