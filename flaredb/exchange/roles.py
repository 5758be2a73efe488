"""Of the files of a collection, those that were asked for: scans or labels, and the labels of one maker only."""

from __future__ import annotations

from flaredb.exchange import folders
from flaredb.exchange.casenames import CHANNEL, stem
from flaredb.exchange.looking import File, Look
from flaredb.exchange.walk import is_volume, made


def layout_of(look: Look, files: list[File]) -> str:
    """The layout asked for, else the one that is recognised."""
    asked = look.ask.layout
    if asked in ("flat", "dicom") or not files:
        return "flat" if asked == "auto" else asked
    if not look.root.is_dir():
        return "flat" if asked == "auto" else asked
    seen = folders.recognise(look.root, [f.below for f in files], all(not is_volume(f.path) for f in files))
    if asked not in ("auto", seen):
        message = f"names and folders look like the layout {seen}, not {asked}; they were read as {asked}"
        look.findings.append(made(look.root, "layout-differs", message, "warning"))
    return seen if asked == "auto" else asked


def of_role(look: Look, files: list[File], layout: str) -> list[File]:
    """The scans of a collection, or its labels; everything where no folder below the root tells them apart."""
    if look.ask.layout == "flat":
        return files
    if layout == "nnunet" and not look.labels:
        files = _first_channel(look, files)
    if not any(file.place.role and file.place.below for file in files):
        if look.labels or layout == "flat" or not files or files[0].place.role != "label":
            return files
        message = f"a folder of labels in the layout {layout}; --layout flat takes its files as scans all the same"
        look.remark(look.root, "nothing-found", message)
        return []
    own = "label" if look.labels else "image"
    kept = []
    for file in files:
        role = file.place.role or ("image" if stem(file.path).endswith(CHANNEL) or not is_volume(file.path) else None)
        if role is None:
            message = "in no folder of images or labels; import its folder by itself, or use --pattern or --layout flat"
            look.findings.append(made(file.path, "unclear-role", message, "warning"))
        elif role == own:
            kept.append(file)
        else:
            look.left[file.place.collection] += 1
    if not kept:
        other = "images" if look.labels else "labels"
        look.remark(look.root, "nothing-found", f"{sum(look.left.values())} files, all of them {other} by their folder")
    return kept


def one_collection(look: Look, files: list[File]) -> list[File]:
    """The labels of one maker: people's, or those of one group's model; none and a finding where that is not one."""
    pseudo = [file for file in files if file.place.pseudo]
    if look.ask.generated is not None and 0 < len(pseudo) < len(files):
        for file in files:
            if file.place.pseudo != look.ask.generated:
                look.left[file.place.collection] += 1
        files = [file for file in files if file.place.pseudo == look.ask.generated]
    groups = sorted({file.place.collection for file in files if file.place.pseudo})
    if len(groups) > 1:
        message = f"labels of {len(groups)} groups' models; import them one by one: {', '.join(groups)}"
        look.remark(look.root, "several-collections", message)
        return []
    return files


def _first_channel(look: Look, files: list[File]) -> list[File]:
    others = folders.channels(file.path for file in files)
    for path in sorted(others):
        message = f"a further channel of {stem(path)[:-5]}; only channel {CHANNEL} is taken"
        look.findings.append(made(path, "extra-channel", message, "warning", stem(path)[:-5]))
    return [file for file in files if file.path not in others]
