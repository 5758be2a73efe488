"""The documents that make a folder a data set: nnU-Net's and MSD's `dataset.json`, MONAI's list of files.

Pure text: nothing is read or written here. `values` are names → values of the label files, background (0) not among
them, by value; `ignore` is the value of voxels that nobody decided, None where there are none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from flaredb.errors import UsageError

FILE_ENDING = ".nii.gz"
_NNUNET = re.compile(r"Dataset(\d{3})_([A-Za-z0-9][A-Za-z0-9._+-]*)")
_NNUNET_V1 = re.compile(r"Task(\d{3})_([A-Za-z0-9][A-Za-z0-9._+-]*)")


class Pair(NamedTuple):
    """A scan and its label as paths within the data set; `label` is None where there is none."""

    case: str
    image: str
    label: str | None


class Listing(NamedTuple):
    """The cases of a data set by what they are for, and what its label files' values mean."""

    title: str
    values: Mapping[str, int]
    ignore: int | None
    training: Sequence[Pair]
    validation: Sequence[Pair]
    test: Sequence[Pair]


def nnunet_folder(given: str, number: int, title: str, first: bool = False) -> str | None:
    """The folder of a data set under the one given; None if that is named as nnU-Net wants it already.

    `first`: version 1's name, `Task501_Name`. UsageError for a number or title that nnU-Net does not take.
    """
    kind, pattern = ("Task", _NNUNET_V1) if first else ("Dataset", _NNUNET)
    if pattern.fullmatch(given):
        return None
    name = f"{kind}{number:03d}_{title}"
    if not pattern.fullmatch(name):
        raise UsageError(f"{name}: nnU-Net wants a number from 1 to 999 and a name of letters and digits")
    return name


def nnunet_document(listing: Listing, reader: str | None = None) -> bytes:
    """`dataset.json` of nnU-Net version 2; `reader` names the class that must read the files, None for its choice.

    The values are 1, 2, 3 … without a gap, and the ignore label is the one after the last: nnU-Net asks for both.
    """
    labels = {"background": 0, **listing.values}
    if listing.ignore is not None:
        labels["ignore"] = listing.ignore
    document: dict[str, Any] = {
        "name": listing.title,
        "channel_names": {"0": "CT"},
        "labels": labels,
        "numTraining": len(listing.training) + len(listing.validation),
        "file_ending": FILE_ENDING,
    }
    if reader:
        document["overwrite_image_reader_writer"] = reader
    return encoded(document)


def nnunet_splits(listing: Listing) -> bytes:
    """`splits_final.json`: one fold, which learns from the training cases and is judged by the validation cases."""
    fold = {"train": [pair.case for pair in listing.training], "val": [pair.case for pair in listing.validation]}
    return encoded([fold])


def msd_document(listing: Listing, channel: bool = False) -> bytes:
    """`dataset.json` of the Medical Segmentation Decathlon, which nnU-Net version 1 reads too.

    With `channel` the images' names are listed without their `_0000`, as nnU-Net version 1 wants them.
    """
    labels = {"0": "background", **{str(value): name for name, value in listing.values.items()}}
    if listing.ignore is not None:
        labels[str(listing.ignore)] = "ignore"
    document: dict[str, Any] = {
        "name": listing.title,
        "description": "exported by flaredb; manifest.json beside this file says where every label came from",
        "tensorImageSize": "3D",
        "modality": {"0": "CT"},
        "labels": labels,
        "numTraining": len(listing.training),
        "numTest": len(listing.test),
        "training": _pairs(listing.training, channel),
        "test": [_dotted(pair.image, channel) for pair in listing.test],
    }
    if listing.validation:
        document |= {"numValidation": len(listing.validation), "validation": _pairs(listing.validation, channel)}
    return encoded(document)


def monai_document(listing: Listing) -> bytes:
    """A list of files as MONAI's `load_decathlon_datalist` takes it; paths are relative to the file's folder."""
    labels = {"0": "background", **{str(value): name for name, value in listing.values.items()}}
    if listing.ignore is not None:
        labels[str(listing.ignore)] = "ignore"
    lists = {"training": listing.training, "validation": listing.validation, "test": listing.test}
    document: dict[str, Any] = {"name": listing.title, "labels": labels}
    for key, pairs in lists.items():
        document[key] = [{"image": p.image, **({"label": p.label} if p.label else {})} for p in pairs]
    return encoded(document)


def encoded(document: Any) -> bytes:
    """A document as JSON bytes; equal documents give equal bytes."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _pairs(pairs: Iterable[Pair], channel: bool) -> list[dict[str, str]]:
    return [{"image": _dotted(p.image, channel), "label": f"./{p.label}"} for p in pairs]


def _dotted(image: str, channel: bool) -> str:
    return f"./{image.replace(f'_0000{FILE_ENDING}', FILE_ENDING) if channel else image}"
