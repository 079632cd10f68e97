"""Pictures of a person's skin in several expressions: what the networks fold an avatar by.

The supplement's animation rule D(I, T') takes one source picture I of the person. A single one shows few of the
person's wrinkles, and the blended texture hardly any. So an avatar keeps a dozen unwrapped pictures whose expressions
lie far apart; under a driving tension T' the encodings of all are mixed place by place, those of similar tension
counting most, and the decoder runs once. The mixing is our own; `evaluate detail` tells what it is worth.

The pictures are kept, not their encodings: those belong to one set of weights and would be larger.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.avatars.errors import AvatarFileError
from models.avatars.person_texture import SkinView
from models.channels import CHANNEL_COUNT
from models.face_model.detail_map import DETAIL_SIZE, DetailMap
from models.geometry.depth_map import depth_map, facing_cosines
from models.geometry.unwrap import unwrap

__all__ = ["MOST_SOURCES", "MixedSkin", "SkinSources", "choose_sources", "from_tensors", "skin_sources", "to_tensors"]

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

MOST_SOURCES = 12
"""More gain little, and each costs some 4 MB of memory while the avatar is driven."""
ALIKE = 0.01
"""Difference of tension at which a picture counts 1/e of the one that is most alike."""
GRID = 64
"""Places a side at which it is decided what each picture counts."""
REACH, SOFT = 3.0, 1.5
"""Such places over which tension is compared, and over which what was not seen fades."""
UNSEEN = 0.02
"""Visibility that a picture has at least: what none shows comes from all."""
EYE_PIXELS = 140.0
"""Outer eye distance in pixels to which larger pictures are reduced: it spans some 95 texels."""
LEAST_SEEN = 0.3
"""Mean visibility over the skin from which a picture is of use."""
_OUTER_EYES = (33, 263)
_QUALITY = 95
_SEEN_SIZE = 64


@dataclass(frozen=True, slots=True)
class SkinSources:
    """K pictures of one person, 1 to MOST_SOURCES.

    Attributes:
        pictures: (K, 256, 256, 3) uint8 sRGB over the detail window, hidden texels filled.
        visibility: (K, 256, 256) float32 in 0..1.
        expressions: (K, 52) float32 channels in each picture.
    """

    pictures: Image
    visibility: Floats
    expressions: Floats


def skin_sources(
    window: DetailMap, views: Sequence[SkinView], identity: Floats, expressions: Sequence[Floats]
) -> SkinSources | None:
    """Unwraps pictures and keeps those that together show the most; None where none shows enough of the skin.

    Args:
        window: the detail window.
        views: pictures of one person with their meshes.
        identity: (K,) coefficients of the person.
        expressions: (52,) channels in each picture.
    """
    model = window.model
    neutral = model.neutral(identity)
    found = []
    for view, expression in zip(views, expressions, strict=True):
        rgb, visibility = _unwrapped(window, view)
        seen = float((visibility * window.mask).sum() / window.mask.sum())
        if seen >= LEAST_SEEN:
            tension = window.tension(neutral, model.pose(identity, expression).vertices)
            found.append((rgb, visibility, np.asarray(expression, np.float32), tension, seen * view.weight**0.25))
    if not found:
        return None
    worth = np.array([item[4] for item in found])
    chosen = choose_sources(np.stack([item[3] for item in found]), worth, window.mask)
    pictures, visibility, kept = (np.stack([found[n][k] for n in chosen]) for k in range(3))
    return SkinSources(pictures, visibility, kept)


def choose_sources(tensions: Floats, worth: NDArray[np.floating], mask: Floats) -> list[int]:
    """Numbers of at most MOST_SOURCES pictures: the calmest, then always the one least like those that are chosen.

    Args:
        tensions: (N, S, S) in each picture.
        worth: (N,) how good each picture is, as a factor of its difference.
        mask: (S, S) where tension counts.
    """
    seen = tensions * mask
    chosen = [int(np.abs(seen).mean(axis=(1, 2)).argmin())]
    nearest = np.full(len(seen), np.inf)
    while len(chosen) < min(MOST_SOURCES, len(seen)):
        nearest = np.minimum(nearest, np.abs(seen - seen[chosen[-1]]).mean(axis=(1, 2)))
        nearest[chosen] = -1.0
        chosen.append(int((nearest * worth).argmax()))
    return chosen


class MixedSkin:
    """A person's encodings, mixed for each driving tension. Not thread-safe.

    Args:
        encoded: what the network's encoder answers for each of K pictures: tokens (1, N, C) and maps (1, C, H, W).
        tensions: (K, S, S) in the pictures.
        visibility: (K, S, S) in the pictures.
    """

    def __init__(self, encoded: Sequence[tuple[Floats, ...]], tensions: Floats, visibility: Floats) -> None:
        self._parts = tuple(np.concatenate(same).astype(np.float32, copy=False) for same in zip(*encoded, strict=True))
        self._tensions = _resized(tensions, GRID)
        seen = _resized(visibility, GRID)
        self._seen = np.stack([cv2.GaussianBlur(one, (0, 0), SOFT) for one in seen]) + np.float32(UNSEEN)

    def at(self, tension: Floats) -> tuple[Floats, ...]:
        """The encoding, of the shapes of one picture's, for a tension (S, S)."""
        weights = self.weights(tension)
        return tuple(_mixed(part, weights) for part in self._parts)

    def weights(self, tension: Floats) -> Floats:
        """(K, GRID, GRID) what each picture counts at each place; sums to 1."""
        apart = np.abs(_resized(tension[None], GRID) - self._tensions)
        apart = np.stack([cv2.GaussianBlur(one, (0, 0), REACH) for one in apart])
        shares = np.exp((apart.min(axis=0) - apart) / np.float32(ALIKE)) * self._seen
        return np.asarray(shares / shares.sum(axis=0), np.float32)


def _resized(maps: Floats, side: int) -> Floats:
    """(K, side, side) of (K, S, S)."""
    how = cv2.INTER_AREA if side < maps.shape[1] else cv2.INTER_LINEAR
    return np.stack([np.asarray(cv2.resize(one, (side, side), interpolation=how), np.float32) for one in maps])


def _mixed(part: Floats, weights: Floats) -> Floats:
    if part.ndim == 3:
        count, tokens = part.shape[:2]
        shares = _resized(weights, round(tokens**0.5)).reshape(count, tokens)
        return np.asarray(np.einsum("kn,knc->nc", shares, part)[None], np.float32)
    out = np.zeros((1, *part.shape[1:]), np.float32)
    _mix_maps(part, _resized(weights, part.shape[2]), out[0])
    return out


@njit(cache=True, nogil=True, fastmath=True)
def _mix_maps(parts: Floats, weights: Floats, out: Floats) -> None:
    for k in range(parts.shape[0]):
        for c in range(parts.shape[1]):
            for y in range(parts.shape[2]):
                for x in range(parts.shape[3]):
                    out[c, y, x] += weights[k, y, x] * parts[k, c, y, x]


def _unwrapped(window: DetailMap, view: SkinView) -> tuple[Image, Floats]:
    """A picture (256, 256, 3) over the window with what was hidden filled from the other side, and its visibility."""
    from models.training.data.textures import fill_from_mirror  # late: with all of SciPy's interpolation

    model = window.model
    image, pixels = view.image, view.pixels
    flat = np.concatenate([pixels, np.zeros((len(pixels), 1))], axis=1)
    left, right = model.embed(flat, model.landmarks478)[list(_OUTER_EYES), :2]
    scale = EYE_PIXELS / max(float(np.linalg.norm(left - right)), 1.0)
    if scale < 1:
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        pixels = (pixels + 0.5) * scale - 0.5
    seen = depth_map(pixels, view.points[:, 2], model.faces, size=512, perspective=True)
    facing = facing_cosines(view.points, view.normals, perspective=True)
    rgb, visibility = unwrap(
        image, window.raster, model.faces, pixels, view.points[:, 2], facing, seen, perspective=True
    )
    return fill_from_mirror(rgb, visibility), visibility


def to_tensors(sources: SkinSources) -> dict[str, NDArray[Any]]:
    """As avatar files keep them: JPEG pictures as bytes, visibility coarse, since it is smooth."""
    from PIL import Image as Pictures

    found: dict[str, NDArray[Any]] = {"expressions": np.asarray(sources.expressions, np.float32)}
    for n, picture in enumerate(sources.pictures):
        out = io.BytesIO()
        Pictures.fromarray(picture).save(out, "JPEG", quality=_QUALITY, subsampling=0)
        found[f"picture_{n}"] = np.frombuffer(out.getvalue(), np.uint8)
    coarse = [cv2.resize(v, (_SEEN_SIZE, _SEEN_SIZE), interpolation=cv2.INTER_AREA) for v in sources.visibility]
    found["visibility"] = np.asarray(np.stack(coarse) * 255 + 0.5, np.uint8)
    return found


def from_tensors(tensors: dict[str, NDArray[Any]], file: str) -> SkinSources:
    """The reverse of `to_tensors`, of what an untrusted file of this name holds.

    Raises:
        AvatarFileError: it is something else.
    """
    damaged = AvatarFileError(f"{file} is damaged: its pictures of the skin cannot be read.")
    expressions, coarse = tensors.get("expressions"), tensors.get("visibility")
    if expressions is None or coarse is None or expressions.ndim != 2:
        raise damaged
    count = len(expressions)
    names = [f"picture_{n}" for n in range(count)]
    if (
        not 1 <= count <= MOST_SOURCES
        or expressions.shape[1] != CHANNEL_COUNT
        or expressions.dtype != np.float32
        or not np.isfinite(expressions).all()
        or coarse.shape != (count, _SEEN_SIZE, _SEEN_SIZE)
        or coarse.dtype != np.uint8
        or set(tensors) != {"expressions", "visibility", *names}
    ):
        raise damaged
    pictures = [_decoded(tensors[name], damaged) for name in names]
    size = (DETAIL_SIZE, DETAIL_SIZE)
    visibility = [cv2.resize(one.astype(np.float32) / 255, size, interpolation=cv2.INTER_LINEAR) for one in coarse]
    return SkinSources(np.stack(pictures), np.stack(visibility).astype(np.float32), np.clip(expressions, 0, 1))


def _decoded(data: NDArray[Any], damaged: AvatarFileError) -> Image:
    from PIL import Image as Pictures
    from PIL import UnidentifiedImageError

    if data.dtype != np.uint8 or data.ndim != 1:
        raise damaged
    try:
        with Pictures.open(io.BytesIO(data.tobytes()), formats=("JPEG",)) as picture:
            if picture.size != (DETAIL_SIZE, DETAIL_SIZE):
                raise damaged
            return np.array(picture.convert("RGB"), np.uint8)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pictures.DecompressionBombError) as error:
        raise damaged from error
