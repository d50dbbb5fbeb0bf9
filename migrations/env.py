"""How does Alembic reach the ledger? On the connection of claimbot/db/migrate.py, in its transaction.

There is no way down: a step that went wrong is mended by the next step, because a downgrade would have to
throw away what followers and brands did in between.
"""

from alembic import context

from claimbot.db.webhook_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
)
context.run_migrations()
