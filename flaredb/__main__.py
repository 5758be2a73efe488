"""`python -m flaredb`."""

from flaredb.cli import main

main()
