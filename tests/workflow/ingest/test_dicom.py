"""Hospital DICOM from the command line: what comes in, and that nobody's name or number does."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from flaredb.workspace import Workspace
from tests.builders import REAL_DATA
from tests.cohorts import Done, environment, flaredb, process
from tests.exchange.dicom_phantom import Series, enhanced, planted, segmentation, slice_of, write

READER = ("--source", "reader", "--kind", "ground-truth")
ONE, LIVER = ("--annotated", "liver", *READER), ("--annotated", "liver,tumor", *READER)


def workspace(folder: Path) -> Path:
    """A new workspace."""
    assert flaredb("init", folder).code == 0
    return folder


def rules(done: Done) -> list[str]:
    """The rules of its findings, sorted."""
    return sorted(finding["rule"] for finding in done.json["findings"])


def test_no_identifier_enters_a_workspace(tmp_path: Path) -> None:
    """Folders called after patients and UIDs, names in every tag, faults of many kinds: no file of the workspace, and
    nothing printed, holds any of it, and all that is whole comes in."""
    root = tmp_path / "QUIXANO^ALONSOX" / "PAT-77331"
    good, late, tilted = Series(), Series(number=5, seed=40), Series(number=6, tilt=0.3, seed=80)
    broken = Series([h for h in (2.5 * i for i in range(14)) if h != 10], number=7)
    slices = [slice_of(good, i) for i in range(12)]
    write(write(root / good.study / good.uid, good), Series([1.0, 2.0], number=1), "SCOUT_QUIXANO")
    write(root / "ACC-90210" / "late_Quixano", late)
    write(root / "S6", tilted)
    write(root / "S7", broken)
    write(root / "S8", Series(number=8))
    (root / "S8" / "IM0002").write_bytes((root / "S8" / "IM0002").read_bytes()[:500])
    mask = np.zeros((12, 6, 8), np.uint8)
    mask[3:8, 2:4, 2:6] = 1
    seg = segmentation(root / good.study / "SG" / f"{good.uid}.dcm", slices, {"Liver": mask, "Quixano": mask})
    place = workspace(tmp_path / "w")

    done = [
        flaredb("ingest", "images", root, "--dry-run", workspace=place),
        flaredb("ingest", "images", root, workspace=place),
        flaredb("ingest", "images", root, workspace=place),
        flaredb("ingest", "images", tmp_path / "QUIXANO^ALONSOX", "--layout", "dicom", workspace=place),
        flaredb("ingest", "labels", root, *ONE, "--dry-run", workspace=place),
        flaredb("ingest", "labels", root, *ONE, workspace=place),
        flaredb("ingest", "labels", seg, *ONE, workspace=place),
    ]
    assert [(d.json["added"], d.json["unchanged"], d.json["failed"]) for d in done[1:3]] == [(3, 0, 2), (0, 3, 2)]
    assert rules(done[1]) == [
        "dicom-missing-slices", "dicom-name-hidden", "dicom-name-hidden", "dicom-not-ct", "dicom-skipped",
        "gantry-tilt", "unreadable",
    ]  # fmt: skip
    assert {f["path"] for f in done[1].json["findings"] if f["rule"] == "unreadable"} == {"S8"}
    assert (done[5].json["added"], rules(done[5])) == (1, ["unknown-segment"])
    words = {word.lower() for series in (good, late, tilted, broken) for word in planted(series)}
    said = "".join(d.out + d.err for d in done).lower()
    assert not [word for word in words if word in said]
    for path in place.rglob("*"):
        content = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
        assert not [word for word in words if word.encode() in content.lower()], path.name


def test_series_of_a_patient_are_one_patient(tmp_path: Path) -> None:
    """Two series with one patient id count as one patient, so that they stay in one split; ids are not kept."""
    write(tmp_path / "d" / "A", Series())
    write(tmp_path / "d" / "B", Series(seed=5))
    place = workspace(tmp_path / "w")
    assert flaredb("ingest", "images", tmp_path / "d", workspace=place).json["ids"] == ["A", "B"]
    with Workspace.open(place) as opened:
        keys = {row["patient"] for row in opened.sql("SELECT patient FROM case_facts")}
        assert keys == {opened.patient_key("PAT-77331")}


def test_ids_that_stand_for_nobody_join_nobody(tmp_path: Path) -> None:
    """Scans made anonymous under one id are a patient each, and pseudonyms may name folders."""

    def anonymous(dataset: pydicom.Dataset, _: int) -> None:
        dataset.PatientID, dataset.PatientName, dataset.PatientIdentityRemoved = "Anonymous", "LIVER-0001", "YES"

    write(tmp_path / "d" / "LIVER-0001", Series(change=anonymous))
    write(tmp_path / "d" / "LIVER-0002", Series(change=anonymous, seed=5))
    place = workspace(tmp_path / "w")
    assert flaredb("ingest", "images", tmp_path / "d", workspace=place).json["ids"] == ["LIVER-0001", "LIVER-0002"]
    with Workspace.open(place) as opened:
        assert len({row["patient"] for row in opened.sql("SELECT patient FROM case_facts")}) == 2


def test_a_registered_case_gets_its_patient_with_its_scan(tmp_path: Path) -> None:
    """A case that waited for its scan belongs to the patient of the DICOM header from then on."""
    place = workspace(tmp_path / "w")
    (tmp_path / "t.csv").write_text("case\nP1\n")
    assert flaredb("ingest", "table", tmp_path / "t.csv", workspace=place).json["added"] == 1
    write(tmp_path / "P1", Series())
    assert flaredb("ingest", "images", tmp_path / "P1", workspace=place).json["added"] == 1
    with Workspace.open(place) as opened:
        (row,) = opened.sql("SELECT patient FROM case_facts")
        assert row["patient"] == opened.patient_key("PAT-77331")


def test_a_table_names_series_too(tmp_path: Path) -> None:
    """A DICOM folder that a table names comes in under the table's case, and its path says no more than others do."""
    write(tmp_path / "QUIXANO" / "S1", Series())
    (tmp_path / "t.csv").write_text("case,image\nP1,QUIXANO/S1\n")
    place = workspace(tmp_path / "w")
    done = flaredb("ingest", "table", tmp_path / "t.csv", workspace=place)
    assert done.json["added"] == 1, done.out
    assert not [path for path in place.rglob("*") if path.is_file() and b"quixano" in path.read_bytes().lower()]


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """The usual `P1/SE0`, `P2/SE0` become two cases, named after both folders."""
    for name in ("P1", "P2"):
        write(tmp_path / "d" / name / "SE 0", Series(seed=int(name[1])))
    place = workspace(tmp_path / "w")
    done = flaredb("ingest", "images", tmp_path / "d", workspace=place)
    assert done.json["ids"] == ["P1-SE_0", "P2-SE_0"], done.out


def test_folders_called_after_patients_get_names_from_a_table_or_pattern(tmp_path: Path) -> None:
    """A table of names says what such a folder's case is called; a pattern cannot take the patient's name from it."""
    root = tmp_path / "d"
    write(root / "QUIXANO" / "S1", Series())
    write(root / "P2" / "S1", Series(seed=5))
    (tmp_path / "names.csv").write_text("file,case\nQUIXANO/S1,P1\nP2/S1,P2\n")
    ways = {"--names": tmp_path / "names.csv", "--pattern": "{case}/S1"}
    for option, value in ways.items():
        place = workspace(tmp_path / option)
        done = flaredb("ingest", "images", root, option, value, workspace=place)
        assert done.json["added"] == 2, done.out
        assert ("P1" if option == "--names" else "P2") in done.json["ids"]
        assert rules(done) == ([] if option == "--names" else ["dicom-name-hidden"])
        assert "QUIXANO" not in done.out + done.err
        assert not [path for path in place.rglob("*") if path.is_file() and b"QUIXANO" in path.read_bytes()]


def test_the_folder_one_stands_in_is_named_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` is the folder it is: its name names the case, unless it is the patient's."""
    place = workspace(tmp_path / "w")
    for name, seed in {"CT1": 0, "QUIXANO": 5}.items():
        monkeypatch.chdir(write(tmp_path / name, Series(seed=seed)))
        assert flaredb("ingest", "images", ".", workspace=place).json["added"] == 1
    with Workspace.open(place) as opened:
        rows = opened.sql("SELECT name, file_name FROM cases ORDER BY name")
    assert rows[0] == {"name": "CT1", "file_name": "CT1"}
    assert (rows[1]["name"][:3], rows[1]["file_name"]) == ("ct-", "hidden")


def test_one_name_for_several_series_is_refused(tmp_path: Path) -> None:
    """`--case` names one series; a folder of two is not given one name."""
    write(write(tmp_path / "s", Series(), "A"), Series(number=4, seed=5), "B")
    done = flaredb("ingest", "images", tmp_path / "s", "--case", "X", workspace=workspace(tmp_path / "w"))
    assert (done.json["added"], rules(done)) == (0, ["several-files"])


def test_pieces_of_a_series_in_several_folders_are_refused(tmp_path: Path) -> None:
    """A series that is cut into folders is not taken for two scans."""
    whole = Series([2.5 * i for i in range(24)])
    write(tmp_path / "d" / "all", whole)
    for path in sorted((tmp_path / "d" / "all").iterdir())[:12]:
        (tmp_path / "d" / "more").mkdir(exist_ok=True)
        path.rename(tmp_path / "d" / "more" / path.name)
    done = flaredb("ingest", "images", tmp_path / "d", workspace=workspace(tmp_path / "w"))
    assert done.json["added"] == 0
    assert rules(done) == ["dicom-scattered", "dicom-scattered"]


def test_one_file_of_many_frames_is_imported(tmp_path: Path) -> None:
    """An enhanced file is named by itself, and by its folder."""
    path = enhanced(tmp_path / "d" / "ENH1.dcm", Series())
    place = workspace(tmp_path / "w")
    assert flaredb("ingest", "images", path, workspace=place).json["ids"] == ["ENH1"]
    assert flaredb("ingest", "images", path, workspace=place).json["unchanged"] == 1


def test_overlapping_segments_are_one_label(tmp_path: Path) -> None:
    """Of a tumor segment inside a liver segment both are kept: the lesion wins its voxels, the liver the rest."""
    series = Series()
    slices = [slice_of(series, i) for i in range(12)]
    write(tmp_path / "d" / "CT1", series)
    liver, tumor = np.zeros((2, 12, 6, 8), np.uint8)
    liver[2:9, 1:5, 1:7] = 1
    tumor[4:6, 2:4, 2:4] = 1
    segmentation(tmp_path / "d" / "SG" / "1", slices, {"Liver": liver, "Tumor": tumor})
    place = workspace(tmp_path / "w")
    assert flaredb("ingest", "images", tmp_path / "d", workspace=place).json["added"] == 1
    done = flaredb("ingest", "labels", tmp_path / "d", *LIVER, workspace=place)
    assert (done.code, done.json["ids"]) == (0, ["CT1@reader@1"]), done.out
    with Workspace.open(place) as opened:
        classes = opened.current("CT1").array
        np.testing.assert_array_equal(classes == 14, tumor.astype(bool))
        counts = {
            row["structure"]: row["voxels"] for row in opened.sql("SELECT structure, voxels FROM label_provenance")
        }
    assert counts == {"liver": int(liver.sum() - tumor.sum()), "tumor": int(tumor.sum())}
    again = flaredb("ingest", "labels", tmp_path / "d", *LIVER, workspace=place)
    assert again.json["unchanged"] == 1


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    """Without pydicom, DICOM is refused as a request that cannot be met, with what to install."""
    (tmp_path / "without" / "pydicom").mkdir(parents=True)
    (tmp_path / "without" / "pydicom" / "__init__.py").write_text("raise ImportError")
    folder = write(tmp_path / "s", Series())
    place = workspace(tmp_path / "w")
    done = process("-w", place, "ingest", "images", folder, env=environment(PYTHONPATH=str(tmp_path / "without")))
    assert (done.code, done.out) == (2, "")
    assert "pip install 'flaredb[dicom]'" in done.err


def test_a_label_of_a_tilted_scan_goes_out_and_comes_back(tmp_path: Path) -> None:
    """On a sheared lattice a SEG becomes a label, its NIfTI export has the scan's geometry, and comes in as it was."""
    series = Series(tilt=0.25)
    slices = [slice_of(series, i) for i in range(12)]
    write(tmp_path / "d" / "CT1", series)
    liver = np.zeros((12, 6, 8), np.uint8)
    liver[2:9, 1:5, 1:7] = 1
    segmentation(tmp_path / "d" / "SG" / "1", slices, {"Liver": liver})
    place = workspace(tmp_path / "w")
    assert flaredb("ingest", "images", tmp_path / "d", workspace=place).json["added"] == 1
    assert flaredb("ingest", "labels", tmp_path / "d", *ONE, workspace=place).json["added"] == 1
    done = flaredb("export", "nifti", tmp_path / "out", "--labels", "all", workspace=place)
    assert done.code == 0, done.err
    (image,) = (tmp_path / "out" / "images").rglob("*.nii.gz")
    (label,) = (tmp_path / "out" / "labels").rglob("*.nii.gz")
    np.testing.assert_allclose(nibabel.load(image).affine[:3, 2], (0, -0.625, 2.5), atol=1e-5)
    again = flaredb("ingest", "labels", label, *ONE[:2], "--source", "back", "--kind", "external", "--case", "CT1",
                    workspace=place)  # fmt: skip
    assert again.json["added"] == 1, again.out
    with Workspace.open(place) as opened:
        np.testing.assert_array_equal(opened.label("CT1@back@1").array, opened.label("CT1@reader@1").array)
        np.testing.assert_array_equal(opened.label("CT1@back@1").array, liver)


def test_a_seg_of_a_real_scan_equals_its_nifti(tmp_path: Path) -> None:
    """A SEG made of a real scan's NIfTI label comes in with the same voxels, structure by structure."""
    source = REAL_DATA / "dicom20"
    if not source.exists():
        pytest.skip(f"{source} is not on this machine")
    place = workspace(tmp_path / "w")
    assert flaredb("ingest", "images", source / "dicom", "--case", "P", workspace=place).json["added"] == 1
    mapping = ("--mapping", "totalsegmentator-v2", "--annotated", "liver,spleen,pancreas,stomach,gallbladder")
    kind = ("--kind", "external", "--case", "P")
    nifti = flaredb("ingest", "labels", source / "seg.nii.gz", *mapping, *kind, "--source", "n", workspace=place)
    assert nifti.json["added"] == 1, nifti.out
    with Workspace.open(place) as opened:
        codes = opened.label("P@n@1").array  # (z, y, x), LPS
    names = {1: "spleen", 4: "gallbladder", 5: "liver", 6: "stomach", 7: "pancreas"}
    masks = {name: (codes == code).astype(np.uint8) for code, name in names.items()}
    study, series = generate_uid(), generate_uid()
    slices = [pydicom.dcmread(path) for path in (source / "dicom").iterdir()]
    slices.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    for one in slices:  # the scan lost its UIDs when it was made anonymous
        one.SOPInstanceUID, one.SOPClassUID = one.file_meta.MediaStorageSOPInstanceUID, pydicom.uid.CTImageStorage
        one.StudyInstanceUID, one.SeriesInstanceUID = study, series
        one.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    path = segmentation(tmp_path / "seg.dcm", slices[::-1], {name: mask[::-1] for name, mask in masks.items()})
    done = flaredb("ingest", "labels", path, *mapping, *kind, "--source", "s", workspace=place)
    assert done.json["added"] == 1, done.out
    with Workspace.open(place) as opened:
        rows = opened.sql("SELECT source, structure, voxels FROM label_provenance")
        for structure in names.values():
            assert len({row["voxels"] for row in rows if row["structure"] == structure}) == 1, structure
        label = opened.label("P@s@1").array
        (text,) = opened.sql("SELECT m.text AS text FROM mappings m WHERE m.text LIKE '%masks%'") or [{"text": "{}"}]
    own = {int(code): names for code, names in json.loads(text["text"]).get("codes", {}).items()}
    for structure, mask in masks.items():
        found = np.isin(label, [code for code, together in own.items() if structure in together])
        np.testing.assert_array_equal(found, mask.astype(bool))
