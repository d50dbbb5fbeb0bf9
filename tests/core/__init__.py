"""Floor 1: rules, without fixtures; the whole folder runs in under a second."""
