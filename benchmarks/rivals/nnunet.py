"""nnU-Net 2.8.1 at work on one case, in the environment of its own: `.bench/bin/python rivals/nnunet.py CT LABEL DIR`.

Makes a data set of the one case under DIR with nnU-Net's own planner (patch as told), then answers JSON lines on
standard input with JSON lines on standard output, timing only what nnU-Net does, in seconds:
`{"do": "preprocess"}`, `{"do": "open"}`, `{"do": "read", "corners": [[z, y, x], …], "keep": PATH or null}`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

DATASET = "Dataset001_One"
PATCH = (48, 192, 192)


def prepare(ct: Path, label: Path, root: Path) -> None:
    """The raw data set: the CT as it is, the label with its codes made consecutive, as nnU-Net wants them."""
    import numpy as np
    import SimpleITK as sitk  # noqa: N813  its own name for itself

    raw = root / "raw" / DATASET
    for folder in ("imagesTr", "labelsTr"):
        (raw / folder).mkdir(parents=True)
    (raw / "imagesTr" / "one_0000.nii.gz").symlink_to(ct)
    image = sitk.ReadImage(str(label))
    values, consecutive = np.unique(sitk.GetArrayFromImage(image), return_inverse=True)
    mapped = sitk.GetImageFromArray(consecutive.reshape(image.GetSize()[::-1]).astype(np.uint8))
    mapped.CopyInformation(sitk.ReadImage(str(ct)))
    sitk.WriteImage(mapped, str(raw / "labelsTr" / "one.nii.gz"), True)
    names = {"background": 0} | {f"code{value}": n for n, value in enumerate(values) if n}
    described = {"channel_names": {"0": "CT"}, "labels": names, "numTraining": 1, "file_ending": ".nii.gz"}
    (raw / "dataset.json").write_text(json.dumps(described))


class Case:
    """The planned data set, and the case as nnU-Net keeps it."""

    def __init__(self, root: Path) -> None:
        from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments
        from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
        from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

        extract_fingerprints([1], num_processes=1, check_dataset_integrity=False)
        plan_experiments([1])
        home = root / "preprocessed" / DATASET
        plans = json.loads((home / "nnUNetPlans.json").read_text())
        plans["configurations"]["3d_fullres"]["patch_size"] = list(PATCH)  # its files are laid out for the patch read
        self.plans = PlansManager(plans)
        self.configuration = self.plans.get_configuration("3d_fullres")
        self.described = json.loads((root / "raw" / DATASET / "dataset.json").read_text())
        self.raw, self.folder = root / "raw" / DATASET, home / "kept"
        self.folder.mkdir(parents=True)
        self.preprocessor = DefaultPreprocessor(verbose=False)

    def preprocess(self) -> dict[str, Any]:
        """Read, crop, normalise, resample and save the case, as `nnUNetv2_preprocess` does for each."""
        for file in self.folder.iterdir():
            file.unlink()  # it does not write over what is there
        image, label = self.raw / "imagesTr" / "one_0000.nii.gz", self.raw / "labelsTr" / "one.nii.gz"
        start = time.perf_counter()
        self.preprocessor.run_case_save(
            str(self.folder / "one"), [str(image)], str(label), self.plans, self.configuration, self.described
        )
        return {"seconds": time.perf_counter() - start}

    def open(self) -> dict[str, Any]:
        """Open the case as a data loader does; how it lies on disk."""
        from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2

        self.data, self.label, *_ = nnUNetDatasetBlosc2(str(self.folder), ["one"]).load_case("one")
        sizes = {name: (self.folder / name).stat().st_size for name in ("one.b2nd", "one_seg.b2nd")}
        layout = {"shape": self.data.shape, "chunks": self.data.chunks, "blocks": self.data.blocks}
        intensities = self.plans.foreground_intensity_properties_per_channel["0"]
        return {"bytes": sizes["one.b2nd"], "label_bytes": sizes["one_seg.b2nd"], "intensities": intensities, **layout}

    def read(self, corners: list[list[int]], which: str, keep: str | None) -> dict[str, Any]:
        """Patches at some corners, cropped by the function that its data loader uses; the last is kept if asked."""
        import numpy as np
        from acvl_utils.cropping_and_padding.bounding_boxes import crop_and_pad_nd

        seconds, worked = [], []
        for corner in corners:
            box = [[low, low + size] for low, size in zip(corner, PATCH, strict=True)]
            start, begun = time.perf_counter(), time.process_time()
            if which == "image":
                patch = crop_and_pad_nd(self.data, box, 0)
            else:
                patch = crop_and_pad_nd(self.label, box, -1, cast_cropped_to=np.int16)
            seconds.append(time.perf_counter() - start)
            worked.append(time.process_time() - begun)
        if keep:
            np.save(keep, patch[0])
        return {"seconds": seconds, "worked": worked}


def main() -> None:
    """Prepare, then answer until standard input ends."""
    ct, label, root = (Path(argument).absolute() for argument in sys.argv[1:4])
    for name in ("raw", "preprocessed", "results"):
        os.environ[f"nnUNet_{name}"] = str(root / name)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nnU-Net prints; standard output is for answers
    prepare(ct, label, root)
    case = Case(root)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        verb = asked.pop("do")
        print(json.dumps(getattr(case, verb)(**asked)), file=answers, flush=True)


if __name__ == "__main__":
    main()
