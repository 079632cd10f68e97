"""Hand-made landmarks of pictures: `.pts` files of 68 points, and the `.mat` files of AFLW2000-3D."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracking.sources.base import SourceError
from tracking.sources.images import natural_key

__all__ = ["AnnotatedPicture", "find_annotated", "read_mat", "read_pts"]

PICTURE_SUFFIXES = (".jpg", ".png", ".jpeg", ".JPG", ".PNG", ".JPEG")
POINTS = 68
_MAX_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class AnnotatedPicture:
    """A picture with its landmarks.

    Attributes:
        name: the file's name without suffix.
        picture: the picture file.
        annotation: the file of its landmarks.
    """

    name: str
    picture: Path
    annotation: Path

    def points(self, pts_origin: int = 0) -> NDArray[np.float64]:
        """(68, 2) pixels; the centre of the top-left pixel is (0, 0).

        Args:
            pts_origin: number that `.pts` files give the first pixel.

        Raises:
            SourceError: the file is damaged.
        """
        if self.annotation.suffix.lower() == ".mat":
            return read_mat(self.annotation)
        return read_pts(self.annotation, pts_origin)


def find_annotated(folder: Path, names: list[str] | None = None) -> list[AnnotatedPicture]:
    """The annotated pictures of a folder (not below it), in natural order.

    Args:
        folder: holds NAME.jpg or NAME.png beside NAME.pts or NAME.mat.
        names: only these, with or without suffix.

    Raises:
        SourceError: there are none, or one of `names` is missing.
    """
    if not folder.is_dir():
        raise SourceError(f"There is no folder {folder}: check the name.")
    found: dict[str, AnnotatedPicture] = {}
    for annotation in sorted([*folder.glob("*.pts"), *folder.glob("*.mat")], key=natural_key):
        pictures = [p for suffix in PICTURE_SUFFIXES if (p := annotation.with_suffix(suffix)).is_file()]
        if pictures:
            found.setdefault(annotation.stem, AnnotatedPicture(annotation.stem, pictures[0], annotation))
    if names is None:
        chosen = list(found.values())
    else:
        wanted = [
            Path(name).stem if Path(name).suffix in (*PICTURE_SUFFIXES, ".pts", ".mat") else name for name in names
        ]
        missing = [name for name in wanted if name not in found]
        if missing:
            listed = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
            raise SourceError(f"{len(missing)} listed pictures are not in {folder} with landmarks: {listed}.")
        chosen = [found[name] for name in dict.fromkeys(wanted)]
    if not chosen:
        raise SourceError(
            f"There is no picture with landmarks in {folder}: it needs NAME.jpg or NAME.png and NAME.pts."
        )
    return chosen


def read_pts(path: Path, origin: int = 0) -> NDArray[np.float64]:
    """(68, 2) pixels of a `.pts` file, counted from 0.

    Args:
        path: `version`, `n_points`, then x and y of each point between braces.
        origin: number that the file gives the first pixel.

    Raises:
        SourceError: it is no such file, or has another number of points.
    """
    try:
        text = path.read_bytes()[:_MAX_BYTES].decode("ascii", "replace")
    except OSError as error:
        raise SourceError(f"The landmarks {path} cannot be read ({error.strerror}): check its permissions.") from error
    body = re.search(r"\{([^{}]*)\}", text)
    try:
        values = np.array(body.group(1).split() if body else [], np.float64)
    except ValueError:
        values = np.zeros(0)
    if values.size != 2 * POINTS or not np.isfinite(values).all():
        raise SourceError(f"The file {path} does not hold {POINTS} landmarks between braces: check it.")
    return values.reshape(POINTS, 2) - origin


def read_mat(path: Path) -> NDArray[np.float64]:
    """(68, 2) pixels of `pt3d_68` in a `.mat` file of AFLW2000-3D, as they are.

    Raises:
        SourceError: it is no such file.
    """
    from scipy.io import loadmat

    try:
        values = np.asarray(loadmat(path, variable_names=["pt3d_68"])["pt3d_68"], np.float64)
    except Exception as error:  # damage comes as ValueError, KeyError, TypeError, OSError or zlib.error
        raise SourceError(f"The file {path} does not hold pt3d_68 as AFLW2000-3D does: check it.") from error
    if values.shape != (3, POINTS) or not np.isfinite(values).all():
        raise SourceError(f"The file {path} does not hold {POINTS} landmarks in pt3d_68: check it.")
    return np.ascontiguousarray(values[:2].T)
