"""Wrinkles while tracking: the skin of the person's last good view, folded by the expression of this moment.

Encoding the skin is slow and rare; decoding the relief for a tension map is fast and follows every expression. What
is badly seen (a face too small, turned away, covered by a hand) is not invented: the last good view goes on being
driven by tension, and is called held; without any good view there is no relief.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.engines.base import Floats
from models.face_model import FaceModel
from models.face_model.detail_map import DetailMap
from models.geometry.rotations import HEAD_TO_CAMERA
from tracking.detail_network import DetailNetwork, EncodedSkin
from tracking.detail_settings import DetailSettings
from tracking.types import DetailState, TrackedFace

if TYPE_CHECKING:
    from models.training.data.textures import FaceTexture

LARGEST_TURN = np.radians(40.0)
LEAST_CONFIDENCE = 0.4
LEAST_SEEN = 0.45
"""Share of the skin that a good view shows."""
RENEWED_S = 2.0
"""Seconds between two encodings of a steady view; skin does not change, light does."""
COVERED = 0.45
"""Difference of blurred log brightness, light changes taken out, that tells something before the face."""
COVERED_SHARE = 0.08
STEEPEST_LIGHT = 0.25
"""Log brightness from the middle to the rim of the face."""
FOLLOW_S = 0.05
"""Time constant with which the shown relief follows the decoded one."""


@dataclass(frozen=True, slots=True)
class Detail:
    """The relief of one moment.

    Attributes:
        displacement: (320, 320) float32 millimetres along the outward normal, over the whole face UV; None without.
        state: see DetailState.
        reason: why it is not live, for the status line; empty where it is.
        encode_ms, decode_ms: durations; encode_ms is None where nothing was encoded.
    """

    displacement: Floats | None
    state: DetailState
    reason: str
    encode_ms: float | None = None
    decode_ms: float | None = None


class DetailStage:
    """Follows one person's skin. Not thread-safe; see `DetailWorker` for a thread of its own.

    Args:
        model: the face model.
        network: see DetailNetwork.
        settings: see DetailSettings.
    """

    def __init__(self, model: FaceModel, network: DetailNetwork, settings: DetailSettings | None = None) -> None:
        self._network = network
        self._settings = settings or DetailSettings()
        self._model = model
        self._window = DetailMap(model)
        self._mask = self._window.mask
        self.reset()

    @property
    def engine(self) -> str:
        """What the network runs on, for people."""
        return self._network.text

    def reset(self) -> None:
        """Forgets the person."""
        self._skin: EncodedSkin | None = None
        self._brightness: Floats | None = None
        self._encoded_s = -np.inf
        self._shown: Floats | None = None
        self._shown_s = -np.inf

    def process(self, tracked: TrackedFace) -> Detail:
        """The relief of a tracked face; blocks for a decoding, and now and then for an encoding."""
        if tracked.parameters is None or tracked.vertices is None:
            return Detail(None, DetailState.NONE, "no face")
        now = tracked.frame.time_s
        if now < self._shown_s:
            # A clip began again.
            self._encoded_s = -np.inf
        encode_ms = None
        reason = view_problem(tracked, self._settings.smallest_face)
        if not reason and now - self._encoded_s >= RENEWED_S:
            started = time.perf_counter()
            reason = self._encode(tracked, now)
            encode_ms = (time.perf_counter() - started) * 1e3
        if self._skin is None:
            return Detail(None, DetailState.NONE, reason, encode_ms)
        started = time.perf_counter()
        neutral = self._model.neutral(tracked.parameters.identity)
        tension = self._window.tension(neutral, tracked.vertices)
        relief = self._network.decode(self._skin, tension) * self._mask
        shown = self._follow(relief, now)
        state = DetailState.HELD if reason else DetailState.LIVE
        return Detail(shown, state, reason, encode_ms, (time.perf_counter() - started) * 1e3)

    def _encode(self, tracked: TrackedFace, now: float) -> str:
        texture = texture_of(tracked, self._window)
        seen = float((texture.visibility * self._mask).sum() / self._mask.sum())
        if seen < LEAST_SEEN:
            return "the face is turned away"
        brightness = _brightness(texture, self._mask)
        # Looked at again with the next frame, since hands move on; and after a while it is taken as it is, for the
        # light may have changed.
        young = now - self._encoded_s < 5 * RENEWED_S
        if young and self._brightness is not None and _covered(brightness, self._brightness, texture, self._mask):
            return "something covers the face"
        self._skin = self._network.encode(texture.rgb, texture.visibility)
        self._brightness = brightness
        self._encoded_s = now
        return ""

    def _follow(self, relief: Floats, now: float) -> Floats:
        whole = np.asarray(DetailMap.whole(relief), np.float32)
        elapsed = now - self._shown_s
        if self._shown is not None and 0 <= elapsed < 1.0:
            share = np.float32(1 - np.exp(-elapsed / FOLLOW_S))
            whole = self._shown + (whole - self._shown) * share
        self._shown, self._shown_s = whole, now
        return whole


def view_problem(tracked: TrackedFace, smallest: float) -> str:
    """Why a frame shows no wrinkles, in a few words; empty where it does. A face is at least `smallest` pixels wide."""
    if not tracked.valid or tracked.observation is None or tracked.raw is None:
        return "the face is not seen"
    if tracked.confidence < LEAST_CONFIDENCE:
        return "the face is not seen clearly"
    box = tracked.observation.box
    if float(box[2] - box[0]) < smallest:
        return "the face is too small to show wrinkles"
    away = HEAD_TO_CAMERA @ tracked.raw.rotation @ np.array([0.0, 0.0, 1.0])
    ray = tracked.raw.translation / np.linalg.norm(tracked.raw.translation)
    if float(-away @ ray) < np.cos(LARGEST_TURN):
        return "the face is turned away"
    return ""


def texture_of(tracked: TrackedFace, window: DetailMap) -> FaceTexture:
    """The unwrapped face of a frame in which it is seen."""
    # Late, because it brings in libraries that the first frame does not need.
    from models.training.data.labels import FaceLabel
    from models.training.data.textures import face_texture

    raw, observation = tracked.raw, tracked.observation
    assert raw is not None and observation is not None
    label = FaceLabel(
        frame=tracked.frame.index, identity=raw.identity, expression=raw.expression, rotation=raw.rotation,
        translation=raw.translation, gaze=raw.gaze, camera=raw.camera, landmarks=observation.landmarks,
        scores=observation.scores, confidence=tracked.confidence,
    )  # fmt: skip
    return face_texture(tracked.frame.image, label, window)


def _brightness(texture: FaceTexture, mask: Floats) -> Floats:
    """(64, 64) blurred log brightness, its mean over the seen skin taken out."""
    grey = cv2.cvtColor(texture.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(cv2.GaussianBlur(np.log(grey + 8), (0, 0), 5), (64, 64), interpolation=cv2.INTER_AREA)
    weight = cv2.resize(texture.visibility * mask, (64, 64), interpolation=cv2.INTER_AREA)
    return np.asarray(small - (small * weight).sum() / max(float(weight.sum()), 1e-3), np.float32)


def _covered(now: Floats, before: Floats, texture: FaceTexture, mask: Floats) -> bool:
    weight = cv2.resize(texture.visibility * mask, (64, 64), interpolation=cv2.INTER_AREA)
    difference = now - before
    # Light that moved changes the face smoothly from side to side: a gentle plane is taken out. A steep one would take
    # out half of a face that is covered.
    rows, columns = np.mgrid[-1:1:64j, -1:1:64j]
    planes = np.stack([np.ones(4096), rows.ravel(), columns.ravel()], axis=1)
    flat = weight.ravel()[:, None] * planes
    plane = np.linalg.lstsq(flat.T @ planes + 1e-6 * np.eye(3), flat.T @ difference.ravel(), rcond=None)[0]
    left = difference.ravel() - planes[:, 1:] @ np.clip(plane[1:], -STEEPEST_LIGHT, STEEPEST_LIGHT)
    left -= np.median(left[weight.ravel() > 0.3])
    return bool(((np.abs(left) > COVERED) * weight.ravel()).sum() > COVERED_SHARE * weight.sum())
