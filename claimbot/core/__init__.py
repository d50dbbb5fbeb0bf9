"""Floor 1, the rules: facts in, decision out. Standard library only."""
