"""The head as meshes that other programs can draw: parts with their own triangles, UV and colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from recordings.exporters.relief import FineSkin
from rendering.paint import eye_texture, skin_albedo
from rendering.scene import Scene

__all__ = ["HeadParts", "Part"]

Floats = NDArray[np.float32]
TEETH, TONGUE = (228, 220, 205), (176, 92, 92)


@dataclass(frozen=True, slots=True)
class Part:
    """One mesh.

    Attributes:
        name: of the part.
        faces: (F, 3) int32 over this part's own points, counter-clockwise seen from outside.
        uv: (P, 2) places in `texture`, v = 0 at its top row.
        texture: (S, S, 3) uint8 sRGB.
        points: (V, C) values at the model's vertices -> (P, C) at this part's points.
        eye: 0 for the left eyeball, 1 for the right one, None otherwise.
    """

    name: str
    faces: NDArray[np.int32]
    uv: Floats
    texture: NDArray[np.uint8]
    points: Callable[[NDArray[np.floating]], Floats]
    eye: int | None = None


class HeadParts:
    """Skin, eyes, teeth and tongue of a face model. Lashes are left out: they are cards whose hairs a shader draws.

    Args:
        model: the face model.
        refine: levels of subdivision of the skin.
        scene: whose skin, hair and iris colours are painted.
    """

    def __init__(self, model: FaceModel, *, refine: int = 0, scene: Scene | None = None) -> None:
        self.model = model
        self._refine = refine
        self._scene = scene or Scene()

    @cached_property
    def skin(self) -> FineSkin:
        """The skin, refined as asked for."""
        return FineSkin(self.model, self._refine)

    @cached_property
    def parts(self) -> list[Part]:
        """All of them, the skin first."""
        painted = skin_albedo(self.model, self._scene.skin, self._scene.hair.colour, 1024)
        found = [Part("skin", self.skin.faces, self.skin.uv, painted, self.skin.points)]
        for name, colour in (("teeth", TEETH), ("tongue", TONGUE)):
            if name in self.model.part_names:
                plain = np.full((4, 4, 3), colour, np.uint8)
                faces, points, used = self._own(name)
                found.append(Part(name, faces, np.full((len(used), 2), 0.5, np.float32), plain, points))
        for eye, name in enumerate(("eye_left", "eye_right")):
            if name in self.model.part_names:
                found.append(self._eye(name, eye))
        return found

    def _own(self, name: str) -> tuple[NDArray[np.int32], Callable[[NDArray[np.floating]], Floats], NDArray[np.int32]]:
        """A part's triangles over its own vertices, the way to them, and which of the model's they are."""
        used, faces = np.unique(self.model.faces[self.model.part_faces(name)], return_inverse=True)

        def points(values: NDArray[np.floating]) -> Floats:
            return np.asarray(values[used], np.float32)

        return faces.reshape(-1, 3).astype(np.int32), points, used.astype(np.int32)

    def _eye(self, name: str, eye: int) -> Part:
        faces, points, used = self._own(name)
        ball = self.model.mean[used]
        middle, radius = (ball.min(0) + ball.max(0)) / 2, float(np.ptp(ball[:, 0])) / 2
        # The texture is painted over the frontal plane; the back of the ball, which nobody sees, gets its rim.
        place = (ball - middle)[:, :2] / max(radius, 1e-6)
        behind = ball[:, 2] < middle[2]
        length = np.maximum(np.linalg.norm(place, axis=1, keepdims=True), 1e-6)
        place = np.where(behind[:, None], place / length, place) * 0.98
        uv = np.stack([0.5 + place[:, 0] / 2, 0.5 - place[:, 1] / 2], axis=1)
        from rendering.head import iris_share

        painted = eye_texture(self._scene.iris, iris_share(radius))
        return Part(name, faces, uv.astype(np.float32), painted, points, eye)
