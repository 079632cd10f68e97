"""Collects the pictures of one person that an avatar is made from, and says in plain words what they lack."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.geometry.crop import Crop
from models.geometry.rotations import to_euler
from tracking.selection import box_size
from tracking.types import FaceObservation, FaceParameters, Image, TrackedFace

__all__ = ["CaptureError", "CaptureReport", "CapturedFrame", "PersonCapture"]

SMALLEST_FACE, GOOD_FACE = 56, 180
"""Pixels a side of the face below which nothing can be made, and from which on pores and lashes show."""
DARKEST, BRIGHTEST = 28.0, 246.0
"""Mean grey of a face beyond which its colours are noise, or gone."""
MARGIN = 0.75
"""Share of the face's side that is kept around it: hair, ears, neck."""
LARGEST_CROP = 1024
KEPT_A_VIEW = 4
MOST_VIEWS = 16
MOST_FRAMES = 32
MOST_OBSERVATIONS = 600
MOST_SPREAD, SPREAD_SIDE = 96, 400
"""Small pictures that are kept evenly over the whole capture, and their largest side in pixels."""
OTHER_FACE = 0.5
"""Side of another face, as a share of the subject's, from which on it could be taken for the subject."""
CROWDED = 0.15
"""Share of looks at the whole picture that may show another such face."""
MIN_CONFIDENCE = 0.5

_EXPRESSIONS: dict[str, tuple[tuple[str, ...], float]] = {
    "a smile": (("mouthSmileLeft", "mouthSmileRight"), 0.35),
    "an open mouth": (("jawOpen",), 0.3),
    "raised brows": (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 0.35),
    "a frown": (("browDownLeft", "browDownRight"), 0.3),
    "shut eyes": (("eyeBlinkLeft", "eyeBlinkRight"), 0.5),
    "pursed lips": (("mouthPucker", "mouthFunnel"), 0.35),
}
_TURN = 0.2
"""Radians (11 degrees) from which on a head counts as turned."""


class CaptureError(Exception):
    """Nothing can be made from these pictures. The message is one sentence: why, and what to do."""


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """One picture worth keeping.

    Attributes:
        image: (H, W, 3) uint8 RGB, the part of the picture around the face.
        offset: pixels of the whole picture at which that part starts: column, row.
        scale: pixels of `image` for each of the whole picture; below 1 where a large face was reduced.
        observation: in pixels of the whole picture.
        parameters: as fitted while tracking, neither calibrated nor smoothed.
        sharpness: of the face, relative; compare within one capture only.
        time_s: media time.
    """

    image: Image
    offset: tuple[int, int]
    observation: FaceObservation
    parameters: FaceParameters
    sharpness: float
    time_s: float
    scale: float = 1.0

    def to_image(self, pixels: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 2) pixels of the whole picture as pixels of `image`."""
        return np.asarray((pixels - np.asarray(self.offset, np.float64) + 0.5) * self.scale - 0.5, np.float64)

    def place(self, square: Crop) -> Crop:
        """A square of the whole picture in `image`."""
        x, y = self.to_image(np.array([[square.x, square.y]]))[0]
        return Crop(float(x), float(y), square.half * self.scale)

    @property
    def effort(self) -> float:
        """How far from rest the face is: the sum of all channels but those of the gaze."""
        return float(self.parameters.expression[_NOT_GAZE].sum())


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """What was collected.

    Attributes:
        frames, usable: pictures seen, and those that showed the face well.
        face_side: median pixels a side of the face.
        missing: what was not seen, in words that complete "not seen: ...".
        advice: sentences, what would make the avatar better; empty for a perfect capture.
    """

    frames: int
    usable: int
    face_side: float
    missing: tuple[str, ...]
    advice: tuple[str, ...]


class PersonCapture:
    """Takes tracked pictures of one person one after another and keeps the best of each view.

    Memory is bounded whatever the length: at most 64 crops of at most 1024 pixels a side, 96 of 400, and 600
    observations.

    Attributes:
        seen: what the detector saw and the tracker made of it, evenly over the whole capture.
        spread: small pictures, evenly over the whole capture: what networks learn usual looks from, where `frames` are
            the best of each view.
    """

    def __init__(self) -> None:
        self._views: dict[tuple[int, ...], list[CapturedFrame]] = {}
        self.seen: list[tuple[FaceObservation, FaceParameters]] = []
        self.spread: list[CapturedFrame] = []
        self._stride = self._spread_stride = 1
        self._frames = self._found = self._usable = 0
        self._small = self._dark = self._bright = 0
        self._looks = self._crowded = 0
        self._sides: list[float] = []
        self._most = np.zeros(len(ARKIT_CHANNELS))
        self._least_yaw = self._most_yaw = 0.0

    def add_look(self, faces: list[FaceObservation], subject: FaceObservation | None) -> bool:
        """Takes in all faces of a whole picture, as a detector of many faces sees them; to be done now and then.

        Args:
            faces: every face.
            subject: the one that is followed.

        Returns:
            Whether there is another face that could be taken for the subject.
        """
        self._looks += 1
        largest = sorted((box_size(face.box) for face in faces), reverse=True)
        reference = box_size(subject.box) if subject is not None else (largest[0] if largest else 0.0)
        crowded = len(largest) > 1 and largest[1] > OTHER_FACE * reference
        self._crowded += crowded
        return crowded

    def add(self, face: TrackedFace) -> None:
        """Takes in one tracked picture."""
        parameters = face.raw if face.confidence >= MIN_CONFIDENCE else None
        self.add_picture(face.frame.image, face.observation, parameters, face.frame.time_s)

    def add_picture(
        self, image: Image, observation: FaceObservation | None, parameters: FaceParameters | None, time_s: float
    ) -> None:
        """Takes in one picture (H, W, 3) and what was found in it; None where there is no face."""
        self._frames += 1
        if observation is None or parameters is None:
            return
        self._found += 1
        side = box_size(observation.box)
        self._sides.append(side)
        grey, sharpness = _look_of(image, observation.box)
        self._small += side < SMALLEST_FACE
        self._dark += grey < DARKEST
        self._bright += grey > BRIGHTEST
        if side < SMALLEST_FACE or not DARKEST <= grey <= BRIGHTEST:
            return
        self._usable += 1
        self._most = np.maximum(self._most, parameters.expression)
        yaw = to_euler(parameters.rotation)[0]
        self._least_yaw, self._most_yaw = min(self._least_yaw, yaw), max(self._most_yaw, yaw)
        if self._usable % self._stride == 0:
            self.seen.append((observation, parameters))
            if len(self.seen) >= MOST_OBSERVATIONS:
                self.seen = self.seen[::2]
                self._stride *= 2
        frame = CapturedFrame(image, (0, 0), observation, parameters, sharpness, time_s)
        if self._usable % self._spread_stride == 0:
            self.spread.append(_cropped(frame, SPREAD_SIDE))
            if len(self.spread) >= MOST_SPREAD:
                self.spread = self.spread[::2]
                self._spread_stride *= 2
        self._keep(frame)

    def _keep(self, frame: CapturedFrame) -> None:
        yaw, pitch, _ = to_euler(frame.parameters.rotation)
        view = (round(float(yaw) / 0.22), round(float(pitch) / 0.22), int(frame.effort > 1.5))
        if view not in self._views and len(self._views) >= MOST_VIEWS:
            return
        kept = self._views.setdefault(view, [])
        if len(kept) >= KEPT_A_VIEW:
            worst = min(range(len(kept)), key=lambda n: _worth(kept[n]))
            if _worth(kept[worst]) >= _worth(frame):
                return
            del kept[worst]
        kept.append(_cropped(frame, LARGEST_CROP))

    def frames(self) -> list[CapturedFrame]:
        """The best of what is kept, at most 32 and some of every view, calm ones first."""
        ranked = [sorted(kept, key=_worth, reverse=True) for kept in self._views.values()]
        chosen = [kept[n] for n in range(KEPT_A_VIEW) for kept in ranked if n < len(kept)][:MOST_FRAMES]
        return sorted(chosen, key=lambda f: f.effort)

    def check(self) -> CaptureReport:
        """What was collected.

        Raises:
            CaptureError: it is not enough for an avatar, or shows several people.
        """
        if not self._frames:
            raise CaptureError("There is no picture: check the camera or the file.")
        if self._looks and self._crowded >= max(1.0, CROWDED * self._looks):
            raise CaptureError(
                "There are several people in the picture: an avatar shows one, so take it with nobody else in view."
            )
        if not self._found:
            raise CaptureError("No face was found: look into the camera, in good light, nothing before the face.")
        side = float(np.median(self._sides))
        if self._small > 0.7 * self._found:
            raise CaptureError(
                f"The face is only {side:.0f} pixels wide, {SMALLEST_FACE} are needed: come nearer, or choose a larger"
                " picture."
            )
        if self._dark > 0.7 * self._found:
            raise CaptureError("The face is too dark to see its colours: turn on a light in front of it.")
        if self._bright > 0.7 * self._found:
            raise CaptureError("The face is overexposed: take the bright light away or lower the camera's exposure.")
        if not self._usable:
            raise CaptureError("No picture shows the face well enough: more light, nearer, and hold still.")
        return self._report(side)

    def _report(self, side: float) -> CaptureReport:
        missing = [
            name
            for name, (channels, enough) in _EXPRESSIONS.items()
            if max(self._most[ARKIT_CHANNELS.index(c)] for c in channels) < enough
        ]
        advice = []
        if len(missing) == len(_EXPRESSIONS):
            advice.append("The face never moved: the avatar is a plain one; smile, talk and raise the brows next time.")
        elif missing:
            advice.append(f"Not seen: {', '.join(missing)}.")
        if self._most_yaw < _TURN:
            advice.append("The head was not turned to its left: that side is made up from the other or from a guess.")
        if self._least_yaw > -_TURN:
            advice.append("The head was not turned to its right: that side is made up from the other or from a guess.")
        if side < GOOD_FACE:
            advice.append(
                f"The face is {side:.0f} pixels wide: from {GOOD_FACE} on fine skin shows, so come nearer or choose a"
                " larger picture."
            )
        return CaptureReport(self._frames, self._usable, side, tuple(missing), tuple(advice))


_NOT_GAZE = np.array([not name.startswith("eyeLook") for name in ARKIT_CHANNELS])
_SHUT = [ARKIT_CHANNELS.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]


def _worth(frame: CapturedFrame) -> float:
    """Sharp, calm, eyes open."""
    shut = float(frame.parameters.expression[_SHUT].max())
    return frame.sharpness / (1 + 0.35 * frame.effort) * (1 - 0.7 * min(shut / 0.5, 1.0))


def _cropped(frame: CapturedFrame, largest: int) -> CapturedFrame:
    """The frame with a copy of the part of its picture around the face, at most so many pixels a side."""
    height, width = frame.image.shape[:2]
    left, top, right, bottom = (float(v) for v in frame.observation.box)
    margin = MARGIN * max(right - left, bottom - top)
    x0, y0 = max(int(left - margin), 0), max(int(top - margin), 0)
    x1, y1 = min(int(right + margin) + 1, width), min(int(bottom + margin) + 1, height)
    part = np.ascontiguousarray(frame.image[y0:y1, x0:x1]).copy()
    scale = min(1.0, largest / max(part.shape[:2]))
    if scale < 1:
        part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return CapturedFrame(part, (x0, y0), frame.observation, frame.parameters, frame.sharpness, frame.time_s, scale)


def _look_of(image: Image, box: NDArray[np.floating]) -> tuple[float, float]:
    """Mean grey of a face, and its sharpness: the strength of its finest detail as a share of its contrast."""
    height, width = image.shape[:2]
    left, top = max(int(box[0]), 0), max(int(box[1]), 0)
    right, bottom = min(int(box[2]) + 1, width), min(int(box[3]) + 1, height)
    if right - left < 8 or bottom - top < 8:
        return 0.0, 0.0
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    # Large faces are compared at one size, so that coming nearer never looks blurred.
    if max(grey.shape) > 256:
        scale = 256 / max(grey.shape)
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    detail = cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 0.8), cv2.CV_32F)
    size = min(1.0, min(right - left, bottom - top) / GOOD_FACE)
    return float(grey.mean()), float(detail.std() / (grey.std() + 4.0)) * size
