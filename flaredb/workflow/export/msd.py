"""Write a data set laid out as those of the Medical Segmentation Decathlon."""

from __future__ import annotations

from pathlib import Path

from flaredb.exchange.datasets import Listing, msd_document
from flaredb.workflow.export.carry_out import carry_out
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.dataset import Layout, Places, dataset_plan, title_of
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

_PLACES = Places("images{group}/{case}.nii.gz", "labels{group}/{case}.nii.gz")


def export_msd(
    workspace: Workspace,
    destination: Path,
    options: ExportOptions = ExportOptions(),  # noqa: B008  frozen
    title: str | None = None,
) -> Result:
    """Write `imagesTr`, `labelsTr`, `imagesTs` and a `dataset.json` that lists them.

    Values are 1, 2, 3 …; voxels that may be several structures hold the next value, named `ignore` in the list. With
    `split` labelled validation cases are in `imagesTr`, under the list's key `validation`.
    """

    def documents(listing: Listing, _: bool) -> dict[str, bytes]:
        return {"dataset.json": msd_document(listing)}

    layout = Layout("msd", _PLACES, documents, ("dataset.json",))
    plan = dataset_plan(workspace, destination, options, layout, title_of(workspace, title))
    return carry_out(workspace, plan, options)
