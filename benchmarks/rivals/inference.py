"""nnU-Net 2.8.1's predictor, or MONAI's sliding window, on one scan with a given network: `inference.py JOB.json`.

In the environment of the rivals, in a process of its own so that its memory is its own. The network is MONAI's DynUNet
with the weights told. Timed is from the scan's file to the prediction's file; imports and the network's making are
told apart. Answers one JSON line.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()


def network(job: dict[str, Any]) -> Any:
    """The network in evaluation mode: z, y, x in, logits out."""
    from monai.networks.nets.dynunet import DynUNet
    from safetensors.torch import load_file

    made = DynUNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=job["classes"],
        kernel_size=job["kernels"],
        strides=job["strides"],
        upsample_kernel_size=job["strides"][1:],
        filters=job["channels"],
        norm_name=("INSTANCE", {"affine": True}),
    )
    own = {name.removeprefix("body."): value for name, value in load_file(job["weights"]).items()}
    heads = {name: value for name, value in own.items() if "heads" not in name}
    missing, strange = made.load_state_dict(heads, strict=False)
    assert not strange, strange
    assert all(name.startswith("skip_layers.") for name in missing), missing  # the layers again, shared
    return made.eval()


def nnunet(job: dict[str, Any]) -> dict[str, float]:
    """Preprocess, predict, resample and write as nnU-Net does for one case."""
    os.environ |= {f"nnUNet_{name}": job["folder"] for name in ("raw", "preprocessed", "results")}
    import torch
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    made = network(job)
    mirror = bool(job["mirror"])
    predictor = nnUNetPredictor(
        tile_step_size=1 - job["overlap"],
        use_gaussian=True,
        use_mirroring=mirror,
        perform_everything_on_device=False,
        device=torch.device("cpu"),
        allow_tqdm=False,
    )
    plans = PlansManager(_plans(job))
    described = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0} | {f"class{k}": k for k in range(1, job["classes"])},
        "file_ending": ".nii.gz",
    }
    axes = tuple(job["mirror"]) if mirror else None
    configuration = plans.get_configuration("3d_fullres")
    predictor.manual_initialization(made, plans, configuration, [made.state_dict()], described, "nnUNetTrainer", axes)
    ready = time.perf_counter()
    image, properties = SimpleITKIO().read_images([job["ct"]])
    predictor.predict_single_npy_array(image, properties, None, job["out"].removesuffix(".nii.gz"), False)
    return {"start_up": ready - STARTED, "seconds": time.perf_counter() - ready}


def _plans(job: dict[str, Any]) -> dict[str, Any]:
    """What nnU-Net's planner would write for this patch and spacing; resampling as it comes."""
    common = {"force_separate_z": None, "order_z": 0}
    how = "resample_data_or_seg_to_shape"
    configuration = {
        "data_identifier": "nnUNetPlans_3d_fullres",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": job["patch"],
        "median_image_size_in_voxels": job["patch"],
        "spacing": job["spacing"],
        "normalization_schemes": ["CTNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": how,
        "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, **common},
        "resampling_fn_seg": how,
        "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, **common},
        "resampling_fn_probabilities": how,
        "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, **common},
        "batch_dice": False,
        "architecture": {
            "network_class_name": "DynUNet",
            "arch_kwargs": {"strides": job["strides"]},
            "_kw_requires_import": [],
        },
    }
    low, high, mean, std = job["hu"]
    intensities = {"mean": mean, "std": std, "percentile_00_5": low, "percentile_99_5": high}
    return {
        "dataset_name": "Dataset001_One",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": job["spacing"],
        "original_median_shape_after_transp": job["patch"],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": intensities},
    }


def monai(job: dict[str, Any]) -> dict[str, float]:
    """Load, orient, resample, slide, put back and write as MONAI's bundles do."""
    import numpy as np
    import torch
    from monai.data import MetaTensor
    from monai.inferers import sliding_window_inference
    from monai.transforms import (
        AsDiscreted,
        Compose,
        EnsureChannelFirstd,
        Invertd,
        LoadImaged,
        Orientationd,
        SaveImaged,
        ScaleIntensityRanged,
        Spacingd,
    )

    made = network(job)
    low, high, mean, std = job["hu"]
    before = Compose([
        LoadImaged("image"),
        EnsureChannelFirstd("image"),
        Orientationd("image", axcodes="LPS"),
        Spacingd("image", pixdim=job["spacing"][::-1], mode="bilinear"),
        ScaleIntensityRanged("image", low, high, (low - mean) / std, (high - mean) / std, clip=True),
    ])  # fmt: skip
    out = Path(job["out"])
    apart = Path(job["folder"]) / "monai"  # it names its file after the scan's
    after = Compose([
        Invertd("pred", transform=before, orig_keys="image", nearest_interp=False, to_tensor=True),
        AsDiscreted("pred", argmax=True),
        SaveImaged("pred", output_dir=str(apart), output_postfix="", separate_folder=False,
                   output_dtype=np.uint8, print_log=False),
    ])  # fmt: skip

    def predict(windows: Any) -> Any:
        """From (x, y, z) as MONAI reads files to (z, y, x) and back."""
        turned = [windows.permute(0, 1, 4, 3, 2)]
        for axis in job["mirror"]:
            turned += [part.flip(axis + 2) for part in turned]
        mirrored = [()]
        for axis in job["mirror"]:
            mirrored += [(*axes, axis + 2) for axes in mirrored]
        logits = sum(made(part).flip(axes) for part, axes in zip(turned, mirrored, strict=True)) / len(turned)
        return logits.permute(0, 1, 4, 3, 2)

    ready = time.perf_counter()
    with torch.no_grad():
        case = before({"image": job["ct"]})
        image = case["image"]
        logits = sliding_window_inference(
            image[None].as_tensor(), tuple(job["patch"][::-1]), 1, predict, overlap=job["overlap"], mode="gaussian"
        )
        case["pred"] = MetaTensor(logits[0], meta=image.meta, applied_operations=image.applied_operations)
        del logits
        after(case)
    (apart / Path(job["ct"]).name).replace(out)
    return {"start_up": ready - STARTED, "seconds": time.perf_counter() - ready}


def main() -> None:
    """Do what is asked."""
    job = json.loads(Path(sys.argv[1]).read_text())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # rivals print; standard output is for the answer
    took = {"nnunet": nnunet, "monai": monai}[job["who"]](job)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    import torch

    print(json.dumps({**took, "rss_mb": peak, "torch": torch.__version__}), file=answers, flush=True)


if __name__ == "__main__":
    main()
