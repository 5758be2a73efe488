"""Runs migrations on the connection that the catalogue hands over."""

from alembic import context

from flaredb.catalog import derived

metadata = derived.candidates.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    user_module_prefix="types.",
)
with context.begin_transaction():
    context.run_migrations()
