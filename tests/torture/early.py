"""What commands import late, here imported before processes are forked, so that each starts at once."""

# ruff: noqa: F401
from flaredb.workflow.export import carry_out
from flaredb.workflow.ingest import images, labels
from flaredb.workflow.integrity import backup, fsck, gc
