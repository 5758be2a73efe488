"""The `flaredb` program: commands parse, call one verb, print. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from flaredb.cli.main import main

__all__ = ["main"]
