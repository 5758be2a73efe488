"""Write scans, labels and the list of them that MONAI's `load_decathlon_datalist` takes."""

from __future__ import annotations

from pathlib import Path

from flaredb.exchange.datasets import Listing, monai_document
from flaredb.workflow.export.carry_out import carry_out
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.dataset import Layout, Places, dataset_plan, title_of
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

_PLACES = Places("images/{case}_0000.nii.gz", "labels/{case}.nii.gz")
DATALIST = "datalist.json"


def export_monai(
    workspace: Workspace,
    destination: Path,
    options: ExportOptions = ExportOptions(),  # noqa: B008  frozen
    title: str | None = None,
) -> Result:
    """Write `images`, `labels` and `datalist.json` with the lists `training`, `validation` and `test`.

    Paths are relative to the list. Values are 1, 2, 3 …; voxels that may be several structures hold the next value,
    named `ignore` in the list. Cases that nobody labelled are in `test`.
    """

    def documents(listing: Listing, _: bool) -> dict[str, bytes]:
        return {DATALIST: monai_document(listing)}

    layout = Layout("monai", _PLACES, documents, (DATALIST,), always_split=True)
    plan = dataset_plan(workspace, destination, options, layout, title_of(workspace, title))
    return carry_out(workspace, plan, options)
