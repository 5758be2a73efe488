"""What of label sets was chosen on the tuning seeds; nothing yet: the preset's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CHOSEN: Final[Mapping[str, Mapping[str, str]]] = {
    "label-sets": {},
    "label-sets+": {},
}
"""Settings of a method beside `plan.SHARED`."""
