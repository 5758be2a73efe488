"""To be written."""

COMMANDS = ()
