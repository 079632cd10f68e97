"""The paper's evaluation sets, in the layouts in which people have them: 300-W, 300-VW, FaceScape.

Which pictures the paper left out of 300-W is not published: a list file names those to take. FaceScape's annotation is
completed to 68 points by a detector, as the supplement says; it must not be the one that our fit uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracking.evaluation.annotations import PICTURE_SUFFIXES, read_pts
from tracking.sources.base import SourceError
from tracking.sources.images import load_image, natural_key
from tracking.types import Image

__all__ = ["PROTOCOLS", "ProtocolSample", "read_protocol"]


@dataclass(frozen=True, slots=True)
class ProtocolSample:
    """A picture with its truth.

    Attributes:
        name: unique within the set: the path below its folder, without suffix; of videos with the frame's number.
        group: who it shows (FaceScape) or which video it is of (300-VW); empty in 300-W.
        picture: loads it.
        annotation: `.pts` file.
    """

    name: str
    group: str
    picture: Callable[[], Image]
    annotation: Path

    def points(self, origin: int) -> NDArray[np.float64]:
        """(68, 2) pixels, see `read_pts`."""
        return read_pts(self.annotation, origin)


def _pictures(folder: Path, grouped: bool) -> Iterator[ProtocolSample]:
    for annotation in sorted(folder.rglob("*.pts"), key=lambda p: [natural_key(Path(part)) for part in p.parts]):
        pictures = [p for suffix in PICTURE_SUFFIXES if (p := annotation.with_suffix(suffix)).is_file()]
        if pictures:
            path = annotation.relative_to(folder)
            group = path.parts[0] if grouped and len(path.parts) > 1 else ""
            yield ProtocolSample(path.with_suffix("").as_posix(), group, _loader(pictures[0]), annotation)


def _loader(path: Path) -> Callable[[], Image]:
    return lambda: load_image(path)


def _videos(folder: Path, every: int) -> Iterator[ProtocolSample]:
    for video in sorted(folder.glob("*/vid.avi"), key=natural_key):
        frames = _Frames(video)
        # The annotation of picture n, counted from 1, is annot/00000n.pts.
        for annotation in sorted((video.parent / "annot").glob("*.pts"), key=natural_key)[::every]:
            if annotation.stem.isdigit():
                number = int(annotation.stem)
                name = f"{video.parent.name}/{annotation.stem}"
                yield ProtocolSample(name, video.parent.name, frames.loader(number - 1), annotation)


class _Frames:
    """Pictures of a video, decoded in order as they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decoded: Iterator[tuple[int, Image]] | None = None
        self._last = -1

    def loader(self, index: int) -> Callable[[], Image]:
        return lambda: self._load(index)

    def _load(self, index: int) -> Image:
        if self._decoded is None or index <= self._last:
            self._decoded = self._decode()
        for number, image in self._decoded:
            self._last = number
            if number == index:
                return image
        raise SourceError(f"The video {self._path} has no picture {index + 1}, which is annotated: check it.")

    def _decode(self) -> Iterator[tuple[int, Image]]:
        import av  # late: pictures need it not

        try:
            with av.open(str(self._path)) as container:
                for index, frame in enumerate(container.decode(video=0)):
                    yield index, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"The video {self._path} cannot be decoded ({error}): copy it again.") from error


PROTOCOLS = ("300-w", "300-vw", "facescape")


def read_protocol(name: str, folder: Path, wanted: list[str] | None = None, every: int = 1) -> list[ProtocolSample]:
    """The samples of a set, in natural order.

    Args:
        name: one of PROTOCOLS. 300-W: pictures beside `.pts`, in any folders. 300-VW: `NNN/vid.avi` and
            `NNN/annot/NNNNNN.pts`. FaceScape: `IDENTITY/.../NAME.jpg` beside `.pts`.
        folder: of the set.
        wanted: only these names.
        every: of a video, each so many-th annotated picture.

    Raises:
        SourceError: nothing of that layout is there, or a wanted name is missing.
    """
    if not folder.is_dir():
        raise SourceError(f"There is no folder {folder}: check the name.")
    found = list(_videos(folder, every) if name == "300-vw" else _pictures(folder, name == "facescape"))
    if wanted is not None:
        by_name = {sample.name: sample for sample in found}
        missing = [w for w in wanted if w not in by_name]
        if missing:
            raise SourceError(f"{len(missing)} listed samples are not in {folder}, the first is {missing[0]}.")
        found = [by_name[w] for w in wanted]
    if not found:
        layout = "NNN/vid.avi with NNN/annot/*.pts" if name == "300-vw" else "pictures beside .pts files"
        raise SourceError(f"There is nothing of {name} in {folder}: it needs {layout}.")
    return found
