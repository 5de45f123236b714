"""The command that draws maps of features."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tumortrace
from tumortrace.cli._common import NOTICE, OK, UsageError, add_command, names, whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tumortrace.features import FeatureMaps
    from tumortrace.io import Image

_KINDS = ("glcm", "first_order")


def add_commands(commands: Any) -> None:
    """Declare it."""
    command = add_command(
        commands,
        "map",
        _map,
        "compute features in a window around each voxel, as maps over the image",
        "  tumortrace map brain.nii.gz --mask lesion.nii.gz --features contrast,joint_entropy -o maps\n"
        "  tumortrace map ct.nrrd --mask roi.nrrd --label 2 --kind first_order --window 1,7,7 --png -o maps\n"
        "  tumortrace map p-040.jpg --levels 16 --features contrast -o maps\n\n"
        "Of a volume, each map is a NIfTI file on its grid; of a picture, a PNG file.",
    )
    add = command.add_argument
    add("image", metavar="IMAGE", help="a volume (NIfTI, NRRD, MetaImage, a folder of DICOM) or a picture")
    add("--mask", metavar="FILE", help="a mask on the same grid; without it the whole image is mapped")
    add("--label", metavar="N", help="the region, by number or name, where the mask has several")
    add("--resample-mask", action="store_true", help="bring a mask on another grid onto that of the image")
    add("--kind", choices=_KINDS, default="glcm", help="what the features are of (default: glcm)")
    add("--features", metavar="NAMES", type=names, help="names with commas between (default: all of the kind)")
    add(
        "--window",
        metavar="SIDE",
        type=_sides,
        default=(7,),
        help="odd side in voxels, or one per axis with commas between: 1,7,7 (default: 7)",
    )
    bins = command.add_mutually_exclusive_group()
    bins.add_argument("--levels", metavar="N", type=whole(1), help="fixed number of grey levels (default: 32)")
    bins.add_argument("--bin-width", metavar="WIDTH", type=float, help="fixed bin width in the unit of the image")
    add("--first-edge", metavar="EDGE", type=_edge, default="ibsi", help="ibsi (default), pyradiomics, or a number")
    add("--aggregation", metavar="NAME", help="glcm: such as 3d_average (default: 3d_volume_merge)")
    add("--distances", metavar="N", type=_sides, help="glcm: with commas between (default: 1)")
    add("--beyond-mask", action="store_true", help="let windows look at voxels outside the mask")
    add("--threads", metavar="N", type=whole(1), help="threads (default: every available CPU)")
    add("-o", "--out", metavar="DIR", type=Path, default=Path("maps"), help="where to write (default: maps)")
    add("--nifti", action="store_true", help="write a NIfTI file per map (default for a volume)")
    add("--png", action="store_true", help="write a picture per map and slice (default for a picture)")
    add("--progress", action=argparse.BooleanOptionalAction, help="progress bar (default: on a terminal)")
    add("-q", "--quiet", action="store_true", help="print errors only")


def _map(args: argparse.Namespace) -> int:
    from tumortrace import features, io

    pixels = not io.is_volume(args.image)
    if args.nifti and pixels:
        raise UsageError("a picture has no grid to write a NIfTI file on; leave --nifti out")
    if args.label is not None and args.mask is None:
        raise UsageError("--label chooses a region of a mask; give --mask too")
    if args.kind != "glcm" and (args.aggregation or args.distances):
        raise UsageError("--aggregation and --distances are for --kind glcm")
    image = _read(args, pixels)
    compute = features.glcm_map if args.kind == "glcm" else features.first_order_map
    shown = (sys.stderr.isatty() if args.progress is None else args.progress) and not args.quiet
    chosen = _parameters(args)
    maps = _with_bar(lambda report: compute(image.array, image.mask, **chosen, progress=report), shown)
    args.out.mkdir(parents=True, exist_ok=True)
    written = []
    if args.nifti or not (args.png or pixels):
        written += list(_write_volumes(maps, image, args.out))
    if args.png or pixels:
        written += list(_write_pictures(maps, image, args.out))
    _write_settings(args, chosen, maps)
    if not args.quiet:
        for path in written:
            print(path)
        print(f"{args.out}: {len(maps)} maps, {len(written)} files. {NOTICE}")
    return OK


def _read(args: argparse.Namespace, pixels: bool) -> Image:
    from tumortrace import io

    if pixels:
        image = io.read_image(args.image)
        return io.Image(image.array, None if args.mask is None else io.read_mask(args.mask), source=image.source)
    label = int(args.label) if args.label is not None and args.label.isdecimal() else args.label
    return io.read_lesion(args.image, args.mask, label=label, resample=args.resample_mask)


def _parameters(args: argparse.Namespace) -> dict[str, Any]:
    """Return what was chosen, for the function that computes."""
    chosen = {
        "window": args.window if len(args.window) > 1 else args.window[0],
        "features": args.features,
        "levels": args.levels,
        "bin_width": args.bin_width,
        "first_edge": args.first_edge,
        "aggregation": args.aggregation,
        "distances": args.distances,
        "masked": not args.beyond_mask,
        "threads": args.threads,
    }
    return {name: value for name, value in chosen.items() if value is not None}


def _with_bar(compute: Any, shown: bool) -> FeatureMaps:
    from tumortrace.table._write import progress_bar

    with progress_bar(100, shown, unit="%") as bar:
        maps: FeatureMaps = compute(lambda share: bar.update(round(100 * share) - bar.n))
    return maps


def _write_volumes(maps: FeatureMaps, image: Image, out: Path) -> Iterator[Path]:
    from tumortrace import io

    for name, values in maps.items():
        path = out / f"{name}.nii.gz"
        io.write_nifti(path, values.astype("float32"), image)
        yield path


def _write_pictures(maps: FeatureMaps, image: Image, out: Path) -> Iterator[Path]:
    """Draw each map over each slice that has a value, with the same colours for all slices."""
    import numpy as np

    from tumortrace import report

    shape = (-1, *image.array.shape[-2:])
    volume = image.array.reshape(shape)
    inside = None if image.mask is None else image.mask.reshape(shape)
    spacing = None if image.spacing is None else image.spacing[-2:]
    digits = len(str(len(volume)))
    for name, values in maps.items():
        slices = values.reshape(shape)
        limits = _limits(values)
        for z in np.flatnonzero(np.isfinite(slices).any(axis=(1, 2))):
            figure = report.plot_map(
                volume[z],
                slices[z],
                None if inside is None else inside[z],
                spacing=spacing,
                limits=limits,
                label=name.replace("_", " "),
                title=f"Slice {z + 1} of {len(volume)}" if len(volume) > 1 else None,
            )
            ending = f"-{z + 1:0{digits}}" if len(volume) > 1 else ""
            yield report.save(figure, out / f"{name}{ending}.png")


def _limits(values: NDArray[np.float64]) -> tuple[float, float] | None:
    import numpy as np

    return (float(np.nanmin(values)), float(np.nanmax(values))) if np.isfinite(values).any() else None


def _write_settings(args: argparse.Namespace, chosen: dict[str, Any], maps: FeatureMaps) -> None:
    """Write beside the maps how they were computed."""
    said = {
        "tumortrace": tumortrace.__version__,
        "image": Path(args.image).name,
        "mask": None if args.mask is None else Path(args.mask).name,
        "label": args.label,
        "kind": args.kind,
        "parameters": {name: value for name, value in chosen.items() if name != "threads"},
        "maps": list(maps),
        "notice": NOTICE,
    }
    path = args.out / "maps.json"
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def _sides(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, or several with commas between")
    return tuple(map(int, text.split(",")))


def _edge(text: str) -> str | float:
    if text in ("ibsi", "pyradiomics"):
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not ibsi, pyradiomics or a number") from None
