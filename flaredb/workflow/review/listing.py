"""What reviews there are, and how far people are with one."""

from __future__ import annotations

from typing import Any

from flaredb.catalog import reviews
from flaredb.workspace import Workspace


def review_list(workspace: Workspace) -> list[dict[str, Any]]:
    """Every review, oldest first: how it was chosen, who looks, and how many structures have which verdict."""
    with workspace.catalog.read() as connection:
        progress = reviews.progress(connection)
        return [
            {
                "name": review.name,
                "criterion": review.criterion,
                "created": review.created.isoformat(),
                **progress.get(review.id, {"cases": 0, "assignees": [], "verdicts": {}}),
            }
            for review in reviews.every(connection)
        ]


def review_show(workspace: Workspace, name: str) -> dict[str, Any]:
    """A review with its items in the order of the queue; the `verdict` of each is `not looked at` until said."""
    with workspace.catalog.read() as connection:
        review = reviews.find(connection, name)
        progress = reviews.progress(connection).get(review.id, {"cases": 0, "assignees": [], "verdicts": {}})
        items = reviews.items(connection, review.id)
    return {
        "name": review.name,
        "criterion": review.criterion,
        "created": review.created.isoformat(),
        **progress,
        "items": [
            {
                "case": item.case,
                "structure": item.structure,
                "label": item.label.name if item.label else None,
                "assignee": item.assignee,
                "verdict": item.verdict or reviews.NOT_LOOKED_AT,
                "at": item.at.isoformat() if item.at else None,
            }
            for item in items
        ],
    }
