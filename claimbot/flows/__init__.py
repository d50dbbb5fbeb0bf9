"""Floor 3, the stories: one verb per file. Only here does a transaction begin and end."""
