"""Alembic's entry: runs the migrations on the connection that `schema.migrate` hands over."""

from __future__ import annotations

from alembic import context

from qcrbox_registry.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
context.run_migrations()
