"""Write a data set that nnU-Net plans and trains from unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from flaredb.errors import ConflictError, UsageError
from flaredb.exchange.datasets import Listing, msd_document, nnunet_document, nnunet_folder, nnunet_splits
from flaredb.workflow.export.carry_out import carry_out
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.dataset import Layout, Places, dataset_plan, title_of
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

_PLACES = Places("images{group}/{case}_0000.nii.gz", "labels{group}/{case}.nii.gz")
_DOCUMENT, _SPLITS = "dataset.json", "splits_final.json"


class NnunetName(NamedTuple):
    """How nnU-Net knows a data set: by number and title; `first` for version 1's folders and list."""

    number: int = 501
    title: str | None = None
    first: bool = False


def export_nnunet(
    workspace: Workspace,
    destination: Path,
    options: ExportOptions = ExportOptions(),  # noqa: B008  frozen
    name: NnunetName = NnunetName(),  # noqa: B008  frozen
) -> Result:
    """Write `Dataset501_Name/imagesTr, labelsTr, imagesTs, dataset.json` under a folder, or into one named so.

    Values are 1, 2, 3 …; voxels that may be several structures hold the next value, nnU-Net's ignore label. With
    `split` validation cases join the training cases and `splits_final.json` tells them apart. Version 1 has no ignore
    label: UsageError unless undecided voxels are to be background.
    """
    if name.first and options.undecided == "ignore":
        raise UsageError("nnU-Net version 1 has no ignore label; give --undecided background")
    title = title_of(workspace, name.title)
    folder = nnunet_folder(destination.resolve().name, name.number, title, name.first)
    root = destination / folder if folder else destination
    title = root.resolve().name.partition("_")[2]
    _refuse_taken(root)

    def documents(listing: Listing, sheared: bool) -> dict[str, bytes]:
        if name.first:
            joined = listing._replace(training=[*listing.training, *listing.validation], validation=[])
            made = {_DOCUMENT: msd_document(joined, channel=True)}
        else:
            made = {_DOCUMENT: nnunet_document(listing, "NibabelIO" if sheared else None)}
        return made | ({_SPLITS: nnunet_splits(listing)} if listing.validation else {})

    layout = Layout("nnunet", _PLACES, documents, (_DOCUMENT, _SPLITS))
    return carry_out(workspace, dataset_plan(workspace, root, options, layout, title), options)


def _refuse_taken(root: Path) -> None:
    """ConflictError if nnU-Net's folder has another data set of this number: nnU-Net would not know which is meant."""
    number = root.resolve().name.partition("_")[0]
    others = root.resolve().parent.glob(f"{number}_*") if root.resolve().parent.is_dir() else ()
    if taken := [other.name for other in others if other.name != root.resolve().name]:
        raise ConflictError(f"{taken[0]} has that number already; give another with --id")
