"""A made-up FLARE23 collection of 60 small cases as it is distributed, with every quirk of it planted and listed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
from numpy.typing import NDArray

from flaredb.labels.structures import FLARE23
from tests.cohorts import SPACE

AFFINE = SPACE.matrix
SHAPE = SPACE.shape  # in file order (x, y, z)
BIG = (24, 24, 12)
FIVE = "liver right_kidney spleen pancreas left_kidney"
ORGANS = " ".join(FLARE23.organs)
PATTERNS = ("tumor", f"{FIVE} tumor", FIVE, ORGANS)
IMAGES, UNLABELLED, VALIDATION = "imagesTr2200", "unlabelTr1800", "validation"
LABELS, FIX, TRUTH = "labelsTr2200", "labelsTr2200/20230507-fix", "val-gt-50cases-FLARE23"
ALADDIN = "aladdin5-pseudo-labels-FLARE23"
BLACKBEAN = "blackbean-pseudo-labels-FLARE23"
TABLE = "annotated.csv"


class Planted(NamedTuple):
    """A finding that must be told, and only that."""

    severity: str
    case: str
    rule: str


IMAGE_FINDINGS = {
    Planted("warning", "FLARE23_0016", "direction-repaired"),
    Planted("warning", "FLARE23_2217", "duplicate-image"),
}
TRUTH_FINDINGS = {
    Planted("info", "FLARE23_0003", "corrected-file"),
    Planted("info", "FLARE23_0004", "corrected-file"),
    Planted("info", "FLARE23_0005", "label-name-suffix"),
    Planted("warning", "FLARE23_0006", "code-out-of-range"),
    Planted("info", "FLARE23_0011", "geometry-rounding"),
    Planted("error", "FLARE23_0012", "geometry-mismatch"),
    Planted("warning", "FLARE23_0013", "label-cropped"),
    Planted("error", "FLARE23_0014", "shape-mismatch"),
    Planted("error", "FLARE23_0015", "wrong-axis"),
    Planted("warning", "FLARE23_0016", "direction-repaired"),
    Planted("warning", "FLARE23_0017", "geometry-lost"),
    Planted("warning", "FLARE23_0019", "duplicate-label"),
    Planted("error", "FLARE23_0020", "sheared"),
    Planted("warning", "FLARE23_0021", "label-exceeds-scan"),
    Planted("error", "FLARE23_0022", "label-outside-scan"),
    Planted("error", "FLARE23_0023", "label-negative"),
    Planted("error", "FLARE23_0024", "label-not-integer"),
    Planted("warning", "FLARE23_0025", "label-not-of-this-scan"),
    Planted("warning", "FLARE23_0026", "annotated-absent"),
    Planted("error", "FLARE23_0027", "unreadable"),
    Planted("error", "FLARE23_0031", "no-case"),
}
ALADDIN_FINDINGS: set[Planted] = set()
BLACKBEAN_FINDINGS = {
    Planted("info", "Case_00001", "name-padded"),
    Planted("info", "Case_00002", "name-padded"),
    Planted("info", "Case_00003", "name-padded"),
    Planted("warning", "FLARE23_0028", "masks-contradict"),
    Planted("info", "FLARE23_2202", "organ-in-pieces"),
    Planted("info", "FLARE23_2203", "many-lesions"),
    Planted("warning", "FLARE23_2204", "lesion-in-lung"),
}


def write_tree(root: Path) -> Path:
    """Write the collection: 60 scans, labels of people and of two groups' models, junk, and the table."""
    names = [f"FLARE23_{n:04d}" for n in range(1, 31)]
    for number, name in enumerate(names, start=1):
        folder = "1-500" if number <= 20 else "501-1000"
        shape = BIG if number in (16, 25) else SHAPE
        _scan(root / IMAGES / folder / f"{name}_0000.nii.gz", number, shape, _SCANS.get(number, AFFINE), number == 25)
    unlabelled = [f"FLARE23_{n}" for n in range(2201, 2218)] + [f"Case_{n:05d}" for n in range(1, 4)]
    for number, name in enumerate(unlabelled, start=100):
        seed, shape = 115 if name == "FLARE23_2217" else number, BIG if name in _ODD else SHAPE
        _scan(root / UNLABELLED / f"{name}_0000.nii.gz", seed, shape, lung=name == "FLARE23_2204")
    for number in range(1, 11):
        _scan(root / VALIDATION / f"FLARE23Ts_{number:04d}_0000.nii.gz", 200 + number, SHAPE)
    _people(root, names)
    for number, name in enumerate(names[:10]):
        place = root / ALADDIN / ALADDIN / "imagesTr2200-pseudo-labels" / f"{name}.nii.gz"
        _save(place, codes(300 + number))
    _masks(root / BLACKBEAN / "FLARE23_0028")
    for number, name in enumerate(unlabelled, start=400):
        short = name.replace("_0000", "") if name.startswith("Case") else name
        _save(root / BLACKBEAN / f"{short}.nii.gz", _ODD[name](_slabs()) if name in _ODD else codes(number))
    _junk(root)
    return root


def codes(seed: int, shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint8]:
    """Every code from 0 to 14, scattered; another seed gives another label. File order (x, y, z)."""
    order = np.random.default_rng(seed).permutation(int(np.prod(shape)))
    return (order % 15).astype(np.uint8).reshape(shape)


def _people(root: Path, names: list[str]) -> None:
    rows = []
    for number, name in enumerate(names, start=1):
        rows.append((name, ORGANS if number == 26 else PATTERNS[number % 4]))
        special = _QUIRKS.get(number)
        place = root / LABELS / (f"{name}_0000.nii.gz" if number == 5 else f"{name}.nii.gz")
        if special:
            _save(place, *special(codes(number, BIG if number == 16 else SHAPE)))
        else:
            _save(place, codes(18 if number == 19 else number, BIG if number == 25 else SHAPE))
    cut = root / LABELS / "FLARE23_0027.nii.gz"
    cut.write_bytes(cut.read_bytes()[:150])
    for number in (3, 4):
        _save(root / FIX / f"FLARE23_{number:04d}.nii.gz", codes(50 + number))
    _save(root / LABELS / "FLARE23_0031.nii.gz", codes(31))
    rows.append(("FLARE23_0031", "tumor"))
    for number in range(1, 11, 2):
        name = f"FLARE23Ts_{number:04d}"
        _save(root / TRUTH / f"{name}.nii.gz", codes(250 + number))
        rows.append((name, f"{ORGANS} tumor"))
    with (root / TABLE).open("w", newline="") as file:
        csv.writer(file).writerows([("case", "annotated"), *rows])


def _masks(folder: Path) -> None:
    """One binary file a structure: a tumour in the liver, and a spleen that shares two voxels with it."""
    liver, spleen, tumor = (np.zeros(SHAPE, np.uint8) for _ in range(3))
    liver[:3] = 1
    tumor[1, 1, 1] = 1
    spleen[3:], spleen[2, 0, :2] = 255, 255
    for name, mask in (("liver", liver), ("spleen", spleen.astype(np.float32)), ("tumor", tumor)):
        _save(folder / f"{name}.nii.gz", mask)


def _junk(root: Path) -> None:
    for name in (f"{IMAGES}/1-500/._FLARE23_0001_0000.nii.gz", f"__MACOSX/{LABELS}/._FLARE23_0001.nii.gz",
                 f"{LABELS}/.DS_Store", f"{ALADDIN}/__MACOSX/{ALADDIN}/._x.nii.gz"):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\0" * 10)
    listed = [{"image": f"./imagesTr/FLARE23_{n:04d}.nii.gz"} for n in range(1, 31)]
    (root / "dataset.json").write_text(json.dumps({"numTraining": 31, "training": listed}))


def _slabs() -> NDArray[np.uint8]:
    """Thirteen organs side by side along x, and a tumour beside them."""
    array = np.zeros(BIG, np.uint8)
    for value in range(1, 14):
        array[value] = value
    array[16:20, 4:8, 4:8] = 14
    return array


def _scattered(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Seven tumours instead of one."""
    array[array == 14] = 0
    for place in range(0, 21, 3):
        array[16:20, place : place + 2, 4:6] = 14
    return array


def _scan(
    path: Path,
    seed: int,
    shape: tuple[int, ...],
    affine: NDArray[Any] = AFFINE,
    fat: bool = False,
    lung: bool = False,
) -> None:
    """HU from −40 to 200, all of them of parenchyma, or of fat and lung; or lung where `_slabs` has the tumour."""
    values = np.random.default_rng(seed).integers(-40, 200, shape) - (260 if fat else 0)
    if lung:
        values[14:] -= 900
    _save(path, values.astype(np.int16), affine)


def _save(path: Path, array: NDArray[Any], affine: NDArray[Any] = AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(np.ascontiguousarray(array), affine)
    image.header.set_sform(affine, 1)
    image.header["qform_code"] = 0
    nibabel.save(image, path)


def _moved(*voxels: float) -> NDArray[Any]:
    """The affine of a file whose first voxel is that of the scan at (x, y, z)."""
    affine = AFFINE.copy()
    affine[:3, 3] = (AFFINE @ np.array([*voxels, 1.0]))[:3]
    return affine


def _leaning(by: float) -> NDArray[Any]:
    affine = AFFINE.copy()
    affine[0, 1] += by * 2
    return affine


def _flipped(array: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    affine = _moved(SHAPE[0] - 1, 0, 0)
    affine[:3, 0] *= -1
    return array[::-1], affine


def _wide(array: NDArray[Any], mark: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """One slice more than the scan has, at the feet; `mark` is what it holds."""
    more = np.concatenate([np.full((*SHAPE[:2], 1), mark, np.uint8), array], axis=2)
    return more, _moved(0, 0, -1)


_ODD: dict[str, Any] = {
    "FLARE23_2202": lambda a: np.where((a == 1) & (np.arange(24)[:, None] % 12 > 7)[None], 0, a),
    "FLARE23_2203": _scattered,
    "FLARE23_2204": lambda a: a,
}
_SCANS = {8: _leaning(1e-8), 16: _leaning(0.0195)}
_QUIRKS: dict[int, Any] = {
    6: lambda a: (np.where(a == 9, 99, a), AFFINE),
    7: _flipped,
    8: lambda a: (a, _leaning(1e-8)),
    9: lambda a: (a.astype(np.float64), AFFINE),
    10: lambda a: (a.astype(np.int32), AFFINE),
    11: lambda a: (a, _moved(0.05, 0, 0)),
    12: lambda a: (a, _moved(0, 0, 1)),
    13: lambda a: (a[1:5, 1:, 1:], _moved(1, 1, 1)),
    14: lambda a: (a[::2, ::2, ::2], AFFINE @ np.diag([2.0, 2, 2, 1])),
    15: lambda a: (a.transpose(2, 1, 0), AFFINE),
    16: lambda a: (a, _leaning(0.0195)),
    17: lambda a: (a, np.diag([-2.0, -2, 3, 1])),
    20: lambda a: (a, _leaning(0.5)),
    21: lambda a: _wide(a, 0),
    22: lambda a: _wide(a, 1),
    23: lambda a: (a.astype(np.int16) - 1, AFFINE),
    24: lambda a: (a * 0.5, AFFINE),
    26: lambda a: (np.where(a > 6, 0, a), AFFINE),
}
