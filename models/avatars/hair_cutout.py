"""The head with its hair cut out of a picture, and its outline along rays from the middle of the skull.

By GrabCut (Rother, Kolmogorov and Blake, GrabCut: Interactive Foreground Extraction using Iterated Graph Cuts, 2004),
which starts from the drawn bare head; how it does is our own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatars.person_texture import SkinView
from models.face_model.model import FaceModel
from models.face_model.vertex_values import region
from models.geometry.rasterise import Raster, rasterise

__all__ = ["HeadCrop", "cut_out"]

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

PITCH = 0.0021
"""Metres a pixel of the crop that is cut out: locks, not hairs."""
LEAST_PIXELS = 330.0
"""Pixels of the picture a metre below which it shows no outline worth a measurement: a face of some 50 pixels."""
REACH = 0.088
"""Metres from the bare head beyond which all is background."""
INSIDE, NEAR = 0.009, 0.008
"""Metres: within the bare head's outline by so much all is head, and outside it by so much hair is likely at first."""
LIKELY, WALL = 0.04, 0.06
"""Metres from the bare head up to which hair is likely at first where it is unlike what lies further away."""
UNLIKE = 2.5
"""Spreads of a colour of the wall from which another is unlike it."""
ROUNDS = 4
RAYS = 180
STEP = 0.5
"""Pixels along a ray."""
CAP = 0.35
"""Share of the hair cap's height that counts as its inside."""


@dataclass(frozen=True, slots=True)
class HeadCrop:
    """The part of a picture around the skull, PITCH metres a pixel.

    Attributes:
        image: (h, w, 3) uint8 RGB.
        shown: (h, w) where there was a picture.
        bare: the bare head.
        hairy: (h, w) of the bare head, where the cap grows.
        middle: (2,) pixel of the skull's middle.
        pixels: (V, 2) of the bare head.
        points, normals: (V, 3), see SkinView.
        focal: (2,) crop pixels.
        head: triangles that are drawn.
    """

    image: NDArray[np.uint8]
    shown: Mask
    bare: Raster
    hairy: Mask
    middle: Floats
    pixels: Floats
    points: Floats
    normals: Floats32
    focal: Floats
    head: NDArray[np.int32]

    @classmethod
    def around(cls, model: FaceModel, height: Floats32, view: SkinView) -> HeadCrop | None:
        """None where the head is too small, behind the camera, or hardly in the picture."""
        skin = model.part_faces("skin") if "skin" in model.part_names else np.arange(len(model.faces))
        head = skin[region(model, "neck")[model.faces[skin]].max(axis=1) < 0.5].astype(np.int32)
        vertices = np.unique(model.faces[head])
        cap = height > CAP
        depth = view.points[:, 2]
        if not (np.isfinite(view.pixels).all() and np.isfinite(view.points).all() and depth.min() > 0.05):
            return None
        # Pixels a metre at the skull's depth, by least squares: the mesh was drawn onto landmarks.
        away = float(depth[cap].mean())
        metres = view.points[vertices, :2] / depth[vertices, None] * away
        metres, pixels = metres - metres.mean(axis=0), view.pixels[vertices]
        scale = float((metres * (pixels - pixels.mean(axis=0))).sum() / max(float((metres**2).sum()), 1e-9))
        if not scale > LEAST_PIXELS:
            return None
        margin = (REACH + 0.006) * scale
        low = pixels.min(axis=0) - margin
        high = pixels.max(axis=0) + margin
        # Below the ears are neck, collar and shoulders.
        ears = region(model, "ears") > 0.5
        high[1] = view.pixels[ears, 1].max() if ears.any() else view.pixels[cap, 1].max()
        size = np.maximum(np.ceil((high - low) / (scale * PITCH)), 8).astype(int)
        if size.max() > 400 or float((high - low).max()) > 4 * max(view.image.shape):
            return None
        zoom = (size / (high - low)).astype(np.float64)
        image, shown = _resampled(view.image, low, high, size)
        moved = (view.pixels - low) * zoom - 0.5
        bare = rasterise(moved.astype(np.float32), depth.astype(np.float32), model.faces, *size.tolist(), subset=head)
        hairy = np.zeros(bare.covered.shape, bool)
        covered = bare.covered
        hairy[covered] = height[model.faces[bare.triangle[covered]]].mean(axis=1) > 0.15
        if not hairy.any() or shown[covered].mean() < 0.8:
            return None
        middle = moved[cap].mean(axis=0)
        return cls(image, shown, bare, hairy, middle, moved, view.points, view.normals, scale * away * zoom, head)

    def drawn(self, model: FaceModel, metres: Floats32) -> Raster:
        """The head with its vertices moved out along their normals by (V,) metres."""
        moved = self.points + self.normals * metres[:, None]
        shift = moved[:, :2] / moved[:, 2:] - self.points[:, :2] / self.points[:, 2:]
        pixels = (self.pixels + shift * self.focal).astype(np.float32)
        height, width = self.shown.shape
        return rasterise(pixels, moved[:, 2].astype(np.float32), model.faces, width, height, subset=self.head)

    def ends(self, covered: Mask) -> tuple[Floats, NDArray[np.int_]]:
        """Where what is covered (h, w) ends along each ray: metres (RAYS,) from the skull's middle, 0 where there is
        nothing, and pixels (RAYS, 2), x and y."""
        x, y, inside = self._rays()
        there = covered[y, x] & inside
        last = there.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
        last[~there.any(axis=1)] = 0
        rays = np.arange(RAYS)
        return last * STEP * PITCH, np.stack([x[rays, last], y[rays, last]], axis=1)

    def contiguous(self, cut: Mask, start: Floats) -> tuple[Floats, Mask]:
        """Metres (RAYS,) from the skull's middle to the last pixel of the cut (h, w) that belongs together from `start`
        (RAYS,) on, and whether the picture shows what is behind it."""
        x, y, inside = self._rays()
        first = np.rint(start / (STEP * PITCH)).astype(int)
        number = np.arange(x.shape[1])
        ended = ~(cut[y, x] & inside) & (number > first[:, None])
        end = np.where(ended.any(axis=1), np.argmax(ended, axis=1), x.shape[1] - 1)
        seen = (inside & self.shown[y, x])[np.arange(RAYS), end]
        return (end - 1) * STEP * PITCH, np.asarray(seen)

    def contrast(self, end: Floats) -> Floats:
        """(RAYS,) how far the colours beyond `end` (RAYS,), metres along the rays, are from those before it."""
        x, y, _ = self._rays()
        calm = cv2.GaussianBlur(self.image, (0, 0), 1.0).astype(np.float64)[y, x]
        place = np.rint(end / (STEP * PITCH)).astype(int)[:, None]
        # Beside the edge, not on it: the blur of cameras is a centimetre wide.
        beside = np.arange(4, 11)
        rays, last = np.arange(RAYS)[:, None], x.shape[1] - 1
        before = calm[rays, np.clip(place - beside, 0, last)].mean(axis=1)
        behind = calm[rays, np.clip(place + beside, 0, last)].mean(axis=1)
        return np.asarray(np.linalg.norm(before - behind, axis=1))

    def between(self, chosen: Mask, end: Floats) -> tuple[NDArray[np.uint8], Floats]:
        """Of each chosen ray (RAYS,): the colour (N, 3) half-way from the bare head's outline to `end` (RAYS,), and
        the ray's direction (N, 3) in the camera frame."""
        x, y, _ = self._rays()
        rays = np.flatnonzero(chosen)
        place = np.rint((self.ends(self.bare.covered)[0] + end)[rays] / (2 * STEP * PITCH)).astype(int)
        angles = 2 * np.pi * rays / RAYS
        return self.image[y[rays, place], x[rays, place]], np.stack(
            [np.cos(angles), np.sin(angles), np.zeros(len(rays))], axis=1
        )

    def _rays(self) -> tuple[NDArray[np.int_], NDArray[np.int_], Mask]:
        """x, y (RAYS, N) of pixels along the rays, STEP apart, and whether they are in the crop."""
        rows, columns = self.shown.shape
        angles = 2 * np.pi * np.arange(RAYS) / RAYS
        along = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        steps = np.arange(0.0, float(np.hypot(rows, columns)), STEP)
        places = np.rint(self.middle + along[:, None] * steps[None, :, None]).astype(int)
        inside = (places >= 0).all(axis=2) & (places[..., 0] < columns) & (places[..., 1] < rows)
        return np.clip(places[..., 0], 0, columns - 1), np.clip(places[..., 1], 0, rows - 1), np.asarray(inside)


def _resampled(
    image: NDArray[np.uint8], low: Floats, high: Floats, size: NDArray[np.int_]
) -> tuple[NDArray[np.uint8], Mask]:
    """The rectangle between two corners, (h, w, 3), its borders carried on, and where there was a picture."""
    height, width = image.shape[:2]
    (x0, y0), (x1, y1) = np.floor(low).astype(int), np.ceil(high).astype(int)
    xs, ys = np.arange(x0, x1), np.arange(y0, y1)
    part = image[np.clip(ys, 0, height - 1)][:, np.clip(xs, 0, width - 1)]
    there = ((ys >= 0) & (ys < height))[:, None] & ((xs >= 0) & (xs < width))
    target = (int(size[0]), int(size[1]))
    smaller = part.shape[1] > target[0]
    kind = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(part, target, interpolation=kind), np.uint8)
    return small, np.asarray(cv2.resize(there.astype(np.uint8), target, interpolation=cv2.INTER_NEAREST) > 0)


def cut_out(crop: HeadCrop) -> Mask:
    """(h, w) head with hair, the piece that the head belongs to."""
    head = crop.bare.covered
    outwards = cv2.distanceTransform((~head).astype(np.uint8), cv2.DIST_L2, 5) * PITCH
    inwards = cv2.distanceTransform(head.astype(np.uint8), cv2.DIST_L2, 5) * PITCH
    # What counts is hair against background: a wall often has the colour of skin. So the face is painted over with
    # colours found where hair grows.
    image = crop.image.copy()
    rng = np.random.default_rng(0)
    rest = head & ~crop.hairy
    colours = image[crop.hairy]
    image[rest] = colours[rng.integers(0, len(colours), int(rest.sum()))]
    mask = np.full(head.shape, cv2.GC_PR_BGD, np.uint8)
    # Hair that hides most of the scalp's front shows little of itself on the bare head: what is unlike the wall counts.
    mask[(outwards < NEAR) | ((outwards < LIKELY) & _unlike(image, outwards > WALL))] = cv2.GC_PR_FGD
    mask[inwards > INSIDE] = cv2.GC_FGD
    mask[rest] = cv2.GC_FGD
    mask[outwards > REACH] = cv2.GC_BGD
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # equal pictures give equal avatars
    cv2.grabCut(image, mask, None, background, foreground, ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    cut = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    cut = np.asarray(
        cv2.morphologyEx(cut, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))), np.uint8
    )
    _, pieces = cv2.connectedComponents(cut)
    own = np.bincount(pieces[mask == cv2.GC_FGD], minlength=1)
    own[0] = 0
    return np.asarray((pieces == int(np.argmax(own))) & (cut > 0))


def _unlike(image: NDArray[np.uint8], wall: Mask) -> Mask:
    """(h, w) whose colours are none of the wall's, by the six that describe it best."""
    colours = image.astype(np.float32)
    sample = colours[wall]
    if len(sample) < 100:
        return np.zeros(wall.shape, bool)
    sample = sample[:: max(1, len(sample) // 3000)]
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
    _, label, centres = cv2.kmeans(sample, 6, None, stop, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    own = np.linalg.norm(sample - centres[label[:, 0]], axis=1)
    count = np.bincount(label[:, 0], minlength=6)
    spread = np.maximum(np.sqrt(np.bincount(label[:, 0], own**2, 6) / np.maximum(count, 1)), 8.0)
    apart = np.linalg.norm(colours[:, :, None] - centres, axis=3) / spread
    return np.asarray(apart.min(axis=2) > UNLIKE)
