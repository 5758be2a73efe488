"""What the labels of an import mean: by codes, or by the names of files that hold one structure each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from flaredb.catalog.labels import Label
from flaredb.errors import Finding
from flaredb.exchange.dicom_labels import SEGMENTS
from flaredb.exchange.dicom_seg import read_seg
from flaredb.exchange.layouts import Found
from flaredb.exchange.mask_files import masks_sha256, read_masks
from flaredb.exchange.read import Scan, read_label
from flaredb.exchange.stored import sha256_of
from flaredb.geometry import Grid
from flaredb.labels.mappings import Mapping, load_mapping
from flaredb.labels.masks import Naming, contradictions, expected, joined, load_naming
from flaredb.labels.structures import StructureSet


class Reading(NamedTuple):
    """A label as read, and the mapping of its codes."""

    scan: Scan
    mapping: Mapping


class Codebook:
    """A mapping as named on the command line, read when it is first needed, and applied to one label after another."""

    def __init__(self, name: str, structures: StructureSet) -> None:
        self.name = name
        self.structures = structures

    @cached_property
    def mapping(self) -> Mapping:
        """What codes mean."""
        return load_mapping(self.name, self.structures)

    @cached_property
    def naming(self) -> Naming:
        """What files named after structures hold."""
        return load_naming(self.name, self.structures)

    def kept(self, found: Iterable[Found]) -> list[Found]:
        """The labels without the files that the mapping leaves alone."""
        skipped = self.naming.skipped if any(item.masks for item in found) else frozenset()
        kept = [item._replace(masks=tuple(m for m in item.masks if m[0] not in skipped)) for item in found]
        return [new for new, old in zip(kept, found, strict=True) if new.masks or not old.masks]

    def all_of(self, item: Found) -> Mapping:
        """A mapping that knows every structure a label of this kind may speak about."""
        return expected(self.naming, self.naming.meanings) if item.masks else self.mapping

    def read(self, item: Found, grid: Grid | None) -> Reading:
        """Read a label's file or files; segments of DICOM are placed on the grid of the scan."""
        if not item.masks:
            return Reading(read_label(item.path), self.mapping)
        if item.part == SEGMENTS:
            scan, combinations = read_seg(item.path, item.masks, grid)
        else:
            scan, combinations = read_masks(item.path, item.masks)
        return Reading(scan, joined(self.naming, combinations, self.structures.lesions))

    def sha256(self, item: Found) -> str:
        """The digest of a label's file or files."""
        return masks_sha256(item.masks) if item.masks else sha256_of(item.path)

    def means_the_same(self, known: Label, item: Found) -> bool:
        """Whether a stored label's codes mean what this import would take them for."""
        if not item.masks:
            return known.codes.digest == self.mapping.digest
        names = {name for _, together in known.codes.masks for name in together}
        if names != {name for name, _ in item.masks}:
            return False
        return joined(self.naming, dict(known.codes.masks), self.structures.lesions).digest == known.codes.digest

    def remarks(self, item: Found, reading: Reading) -> list[Finding]:
        """Findings on codes beyond the mapping's range, and on masks that contradict each other."""
        codes, mapping = reading.scan.voxels, reading.mapping
        findings = []
        beyond = np.unique(codes[codes > mapping.top])
        if len(beyond):
            shown = " ".join(str(code) for code in beyond[:8])
            message = f"codes beyond {mapping.top}, the last that mapping {mapping.name} knows: {shown}; "
            message += "they say nothing"
            findings.append(Finding("warning", item.case, "code-out-of-range", message, item.called))
        for code, names in contradictions(mapping).items():
            message = f"{int((codes == code).sum())} voxels are in {' and '.join(names)} at once; they say nothing"
            findings.append(Finding("warning", item.case, "masks-contradict", message, item.called))
        return findings
