"""Single pictures and folders of pictures as a source."""

from __future__ import annotations

import re
import threading
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from tracking.sources.base import Clock, Pacer, Source, SourceError, unmirror
from tracking.types import Frame, Image

IMAGE_SUFFIXES = frozenset(
    f".{kind}"
    for kind in (
        *("avif", "bmp", "dib", "jfif", "jpe", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm"),
        *("tga", "tif", "tiff", "webp"),
    )
)
MAX_IMAGE_SIDE = 8192
"""Longer pictures are reduced to this. Up to and including 8K they stay as they are, so that results in pixels refer to
the file's own pixels."""
MAX_IMAGE_PIXELS = 300_000_000
"""More than this is refused before memory is taken: one such picture would need a gigabyte."""
_BACKGROUND = (128, 128, 128)


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sorts file names as people do: `shot2` before `shot10`, capitals beside small letters."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in parts]


def load_image(path: Path) -> Image:
    """A picture file as (H, W, 3) uint8 RGB, turned as its EXIF orientation says.

    Grey pictures get three equal channels, 16 bits a channel become 8, transparent parts mid-grey; sides above
    MAX_IMAGE_SIDE are reduced.

    Raises:
        SourceError: the file is missing, damaged, too large or no picture.
    """
    try:
        if path.stat().st_size == 0:
            raise SourceError(f"The picture {path} is empty: choose another file.")
        with warnings.catch_warnings():
            # Pillow warns of pictures it takes for bombs; the limit that counts is ours.
            warnings.simplefilter("ignore")
            with PillowImage.open(path) as picture:
                width, height = picture.size
                if width * height > MAX_IMAGE_PIXELS:
                    raise SourceError(
                        f"The picture {path} is too large ({width} x {height} pixels): reduce it to"
                        f" {MAX_IMAGE_SIDE} pixels on its longer side."
                    )
                return _limited(_as_rgb(picture))
    except FileNotFoundError:
        raise SourceError(f"There is no picture {path}: check the name.") from None
    except UnidentifiedImageError:
        raise SourceError(f"The file {path} is not a picture, or one of an unknown kind: use PNG or JPEG.") from None
    except PillowImage.DecompressionBombError:
        raise SourceError(
            f"The picture {path} is too large: reduce it to {MAX_IMAGE_SIDE} pixels on its longer side."
        ) from None
    except PermissionError:
        raise SourceError(f"The picture {path} may not be read: check its permissions.") from None
    except SourceError:
        raise
    except Exception as error:  # damage comes as OSError, SyntaxError, ValueError or struct.error, by format
        raise SourceError(f"The picture {path} is damaged and cannot be read: choose another file.") from error


def _as_rgb(picture: PillowImage.Image) -> NDArray[np.uint8]:
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith(("I", "F")):
        return _grey_to_rgb(np.asarray(upright))
    if upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        upright = PillowImage.alpha_composite(PillowImage.new("RGBA", layer.size, (*_BACKGROUND, 255)), layer)
    return np.array(upright.convert("RGB"), np.uint8)


def _grey_to_rgb(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """(H, W) of more than 8 bits: whole numbers as 16 bits of the full range, fractions as 0..1 or 0..255."""
    values = np.nan_to_num(grey.astype(np.float32))
    if not np.issubdtype(grey.dtype, np.floating):
        values /= 257.0
    elif values.max(initial=0.0) <= 1.0:
        values *= 255.0
    return np.repeat(np.clip(np.round(values), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _limited(image: NDArray[np.uint8]) -> Image:
    height, width = image.shape[:2]
    longer = max(height, width)
    if longer > MAX_IMAGE_SIDE:
        scale = MAX_IMAGE_SIDE / longer
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(image)


class ImageSource(Source):
    """One picture, or the pictures of a folder in natural order.

    A damaged picture among several is left out and named in `warning`.

    Args:
        path: a picture file, or a folder (not searched below its top level; hidden files are left out).
        fps: pictures a second that `Frame.time_s` counts by.
        paced: wait for each picture's time.
        loop: start over after the last picture; time starts over too, the index goes on.
        mirrored: the pictures are mirrored; un-mirror them.
        clock: nanoseconds, for tests.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float = 25.0,
        paced: bool = False,
        loop: bool = False,
        mirrored: bool = False,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        if fps <= 0.0:
            raise SourceError(f"A rate of {fps:g} pictures a second is not possible: give one above 0.")
        self._path = path
        self._fps = fps
        self._paced = paced
        self._loop = loop
        self._mirrored = mirrored
        self._clock = clock
        self._closed = threading.Event()
        self._pacer = Pacer(self._closed, clock)
        self._files: Sequence[Path] = ()
        self._size = (0, 0)
        self._next = 0
        self._count = 0
        self._good_in_round = 0
        self._damaged: dict[Path, None] = {}
        self._open = False

    @property
    def name(self) -> str:
        return self._path.name

    @property
    def width(self) -> int:
        return self._size[0]

    @property
    def height(self) -> int:
        return self._size[1]

    @property
    def fps(self) -> float:
        return self._fps

    @property
    def live(self) -> bool:
        return self._paced

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture files in the order of reading; known once the source is open."""
        return tuple(self._files)

    @property
    def damaged(self) -> tuple[Path, ...]:
        """Picture files that were left out so far."""
        return tuple(self._damaged)

    @property
    def warning(self) -> str | None:
        if not self._damaged:
            return None
        names = ", ".join(path.name for path in list(self._damaged)[:5]) + (" ..." if len(self._damaged) > 5 else "")
        return f"{len(self._damaged)} of {len(self._files)} pictures are damaged and were left out: {names}."

    def open(self) -> None:
        if self._open:
            return
        self._files = list_images(self._path) if self._path.is_dir() else [self._path]
        self._closed.clear()
        self._pacer.restart()
        self._next = self._count = self._good_in_round = 0
        self._damaged.clear()
        first = self._load_next_good()
        if first is None:
            raise SourceError(f"None of the pictures in {self._path} can be read: they are all damaged.")
        self._size = (first.shape[1], first.shape[0])
        self._next = self._good_in_round = 0
        self._open = True

    def read(self) -> Frame | None:
        if self._closed.is_set():
            return None
        if not self._open:
            raise SourceError(f"The source {self.name} is not open: call open() first.")
        image = self._load_next_good()
        if image is None and self._loop and self._good_in_round:
            self._next = self._good_in_round = 0
            self._pacer.restart()
            image = self._load_next_good()
        if image is None:
            return None
        time_s = (self._next - 1) / self._fps
        if self._paced:
            self._pacer.wait(time_s)
            if self._closed.is_set():
                return None
        frame = Frame(self._count, time_s, self._clock(), unmirror(image) if self._mirrored else image)
        self._count += 1
        return frame

    def close(self) -> None:
        self._closed.set()
        self._open = False

    def _load_next_good(self) -> Image | None:
        """The next readable picture, None after the last. One that stands alone may not be damaged."""
        while self._next < len(self._files):
            path = self._files[self._next]
            self._next += 1
            try:
                image = load_image(path)
            except SourceError:
                if len(self._files) == 1:
                    raise
                self._damaged[path] = None
                continue
            self._good_in_round += 1
            return image
        return None


def list_images(folder: Path) -> list[Path]:
    """The picture files at the top level of a folder, in natural order.

    Raises:
        SourceError: the folder holds none or cannot be read.
    """
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".")]
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be read ({error.strerror}): check its permissions.") from error
    files = sorted((p for p in found if p.is_file()), key=natural_key)
    if not files:
        raise SourceError(f"There is no picture in the folder {folder}: choose one with PNG or JPEG files.")
    return files
