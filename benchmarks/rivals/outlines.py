"""How small can the outlines of a label be coded? Answers a JSON line with the bytes that Crackle needs.

Crackle (crackle-codec) codes the borders between labels with a Markov model and keeps the labels of regions beside: the
smallest lossless coder of segmentations known to us. No array store reads it.
"""

from __future__ import annotations

import json
import sys

import crackle
import numpy as np
import SimpleITK as sitk  # noqa: N813  its own name for itself

_ORDER = 5  # of the Markov model: the most that its authors advise


def size(file: str) -> int:
    """Bytes of a label, headers apart from Crackle's own left out."""
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(file))
    codes = voxels.astype(np.uint8 if voxels.max() < 256 else np.uint16)
    packed = crackle.compress(np.asfortranarray(codes.T), markov_model_order=_ORDER)
    assert np.array_equal(np.asarray(crackle.decompress(packed)).squeeze(), codes.T.squeeze())
    return len(packed)


def main() -> None:
    """Ready, then an answer a line."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"bytes": size(json.loads(line)["file"])}), flush=True)


if __name__ == "__main__":
    main()
