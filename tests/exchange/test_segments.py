"""Segmentations of 3D Slicer: what is written reads back, what Slicer writes is understood, damage is refused."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flaredb.errors import InvalidDataError
from flaredb.exchange.colours import colour_of
from flaredb.exchange.segments import Segment, read_segments, write_segments
from flaredb.geometry import Grid
from tests import slicer
from tests.slicer import Drawn

TURNED = ((0.8, -0.6, 0.0), (0.6, 0.8, 0.0), (0.0, 0.0, 1.0))
GRID = Grid((3, 4, 5), (2.5, 0.8, 0.7), (-7.0, 3.0, 11.25))
NAMES = {1: "liver", 4: "pancreas", 14: "tumor"}
SEGMENTS = [(Segment(name, value), colour_of(value)) for value, name in NAMES.items()]


def codes(*places: tuple[int, int, int], value: int = 1) -> np.ndarray:
    array = np.zeros(GRID.shape, np.uint8)
    for place in places:
        array[place] = value
    return array


@settings(deadline=None, max_examples=30)
@given(arrays(np.uint8, GRID.shape, elements=st.sampled_from([0, *NAMES])), st.booleans())
def test_what_is_written_reads_back(tmp_path_factory, array, turned):
    """Voxels, lattice, names and values; the same input gives the same bytes, and nothing is left beside the file."""
    folder = tmp_path_factory.mktemp("seg")
    grid = replace(GRID, direction=TURNED) if turned else GRID
    for name in ("x.seg.nrrd", "y.seg.nrrd"):
        write_segments(folder / name, array, grid, SEGMENTS)
    found = read_segments(folder / "x.seg.nrrd")
    assert np.array_equal(found.layers[0], array)
    assert found.grid.distance(grid) < 1e-9
    assert [(s.name, s.value, s.layer, s.status) for s in found.segments] == [
        (name, value, 0, "notstarted") for value, name in NAMES.items()
    ]
    assert (folder / "x.seg.nrrd").read_bytes() == (folder / "y.seg.nrrd").read_bytes()
    assert len(list(folder.iterdir())) == 2


def test_itk_finds_the_voxels_where_they_were(tmp_path: Path) -> None:
    """Another reader puts a voxel at the point that the grid gives it."""
    grid = replace(GRID, direction=TURNED)
    write_segments(tmp_path / "x.seg.nrrd", codes((2, 1, 3)), grid, SEGMENTS)
    image = SimpleITK.ReadImage(str(tmp_path / "x.seg.nrrd"))
    assert image[3, 1, 2] == 1
    point = image.TransformIndexToPhysicalPoint((3, 1, 2))
    assert np.allclose(point[::-1], (grid.affine @ [2, 1, 3, 1])[:3])


def test_cropped_and_layered(tmp_path: Path) -> None:
    """A crop has an origin of its own; overlapping segments share voxels in layers, each by its own value."""
    one, two = codes((1, 1, 1), (1, 2, 2)) > 0, codes((1, 2, 2), (2, 2, 2)) > 0
    path = slicer.save(
        tmp_path / "x.seg.nrrd", [Drawn("liver", one), Drawn("tumor", two, 1, 1, status="completed")], GRID
    )
    found = read_segments(path)
    assert [(s.name, s.value, s.layer, s.status) for s in found.segments] == [
        ("liver", 1, 0, "inprogress"),
        ("tumor", 1, 1, "completed"),
    ]
    assert found.grid.shape == (2, 2, 2)
    assert np.allclose(found.grid.origin, (GRID.affine @ [1, 1, 1, 1])[:3])
    assert np.array_equal(found.layers[0] == 1, one[1:3, 1:3, 1:3])
    assert np.array_equal(found.layers[1] == 1, two[1:3, 1:3, 1:3])


def test_nothing_drawn_is_a_single_voxel(tmp_path: Path) -> None:
    """Whose place means nothing; the segments are there by name."""
    found = read_segments(slicer.save(tmp_path / "x.seg.nrrd", [Drawn("liver", codes() > 0)], GRID))
    assert (found.blank, found.layers[0].shape, found.segments[0].name) == (True, (1, 1, 1), "liver")


def test_files_of_before_layers(tmp_path: Path) -> None:
    """Slicer before 4.11 gave each segment a layer of zeros and ones and said nothing about value and layer."""
    parts = [Drawn("liver", codes((0, 0, 0)) > 0), Drawn("spleen", codes((1, 0, 0)) > 0, layer=1)]
    path = slicer.save(tmp_path / "x.seg.nrrd", parts, GRID)
    head, _, data = path.read_bytes().partition(b"\n\n")
    kept = [line for line in head.split(b"\n") if b"_Layer" not in line and b"_LabelValue" not in line]
    path.write_bytes(b"\n".join(kept) + b"\n\n" + data)
    assert [(s.name, s.value, s.layer) for s in read_segments(path).segments] == [("liver", 1, 0), ("spleen", 1, 1)]


def damaged(path: Path, change: str) -> Path:
    """A segmentation with one thing wrong."""
    slicer.save(path, [Drawn("liver", codes((1, 1, 1), (2, 3, 3)) > 0)], GRID, crop=False)
    raw = path.read_bytes()
    head, _, data = raw.partition(b"\n\n")
    swaps = {
        "no segments": (b"Segment0_", b"Fragment0_"),
        "layer": (b"Segment0_Layer:=0", b"Segment0_Layer:=7"),
        "size": (b"sizes: 5 4 3", b"sizes: 50000 40000 30000"),
        "elsewhere": (b"encoding: gzip", b"encoding: gzip\ndata file: /etc/passwd"),
        "flat": (b"(0.0,0.0,2.5)", b"(0.0,0.0,0.0)"),
        "type": (b"type: unsigned char", b"type: nonsense"),
        "time": (b"dimension: 3", b"dimension: 9"),
    }
    if change in swaps:
        head = head.replace(*swaps[change])
    elif change == "negative":
        head = head.replace(b"unsigned char", b"signed char")
        data = gzip.compress(np.full(60, -1, np.int8).tobytes())
    elif change == "float":
        head = head.replace(b"type: unsigned char", b"type: float\nendian: little")
        data = gzip.compress(np.zeros(60, np.float32).tobytes())
    elif change == "cut":
        data = data[: len(data) // 2]
    path.write_bytes(b"" if change == "empty" else head + b"\n\n" + data)
    return path


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("no segments", "no-segments"),
        ("layer", "unreadable"),
        ("size", "absurd-size"),
        ("elsewhere", "outside-root"),
        ("flat", "bad-geometry"),
        ("type", "unreadable"),
        ("time", "unreadable"),
        ("negative", "label-out-of-range"),
        ("float", "label-not-integer"),
        ("cut", "unreadable"),
        ("empty", "empty"),
    ],
)
def test_damage_is_refused(tmp_path: Path, change: str, rule: str) -> None:
    """With a rule, before anything of absurd size is made room for."""
    with pytest.raises(InvalidDataError) as refused:
        read_segments(damaged(tmp_path / "x.seg.nrrd", change))
    assert refused.value.findings[0].rule == rule
