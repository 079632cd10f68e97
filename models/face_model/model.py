"""The one face model interface: identity + expression + joints -> vertices and normals.

Every back end (our shipped head, a converted FLAME, a converted ICT-FaceKit) is a file of arrays in one layout
(`schema.py`), so that nothing behind this class knows where a face came from.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.face_model.schema import Embedding, FaceModelArrays, ModelFileError, read_arrays
from models.geometry import rotations
from models.geometry.deform import accumulate_rows, skin_vertices
from models.geometry.normals import VertexNormals

__all__ = ["SHIPPED_MODEL", "Embedding", "FaceModel", "ModelFileError", "PosedFace", "load_face_model"]

Floats = NDArray[np.float32]
SHIPPED_MODEL = Path(__file__).parent / "data" / "mien_head.safetensors"
NEUTRAL_CACHE_SIZE = 4


@dataclass(frozen=True, slots=True)
class PosedFace:
    """A posed mesh in the head frame.

    Attributes:
        vertices: (V, 3) float32 metres.
        normals: (V, 3) float32, unit length, outward, area-weighted.
        neutral: (V, 3) float32 metres, the same identity with expression and joints at zero.
    """

    vertices: Floats
    normals: Floats
    neutral: Floats


class FaceModel:
    """A linear face model with joints.

    Head frame: metres, origin midway between the eyeball centres, +x to the subject's left, +y up, +z out of the face.

    Attributes:
        name: of the model, for manifests.
        identity_count: K, number of identity coefficients; each is in standard deviations.
        expression_names: the 52 ARKit channels.
        faces: (F, 3) int32 triangles, counter-clockwise seen from outside.
        uv: (T, 2) float32 in 0..1; v = 0 is the top of the forehead, u grows to the subject's left, mirror = 1 - u.
            Only the skin's layout is the face map; eyes, teeth, tongue and lashes have layouts of their own.
        uv_faces: (F, 3) int32 triangles over `uv`, in the order of `faces`.
        uv_vertex: (T,) int32 vertex of each UV point (seams repeat vertices).
        part_names, face_part: names of the parts, and (F,) uint8 part of each triangle.
        regions: name -> (V,) float32 in 0..1, see `schema.REGIONS`.
        symmetry: (V,) int32 mirror partner of each vertex.
        landmarks478, landmarks68: embeddings of MediaPipe's and the 68-point landmarks.
    """

    expression_names: tuple[str, ...] = ARKIT_CHANNELS

    def __init__(self, arrays: FaceModelArrays) -> None:
        self._arrays = arrays
        self.name = arrays.name
        self.mean = arrays.mean
        self.identity_basis = arrays.identity_basis
        self.expression_basis = arrays.expression_basis
        self.faces = arrays.faces
        self.uv = arrays.uv
        self.uv_faces = arrays.uv_faces
        self.uv_vertex = arrays.uv_vertex
        self.part_names = arrays.part_names
        self.face_part = arrays.face_part
        self.regions = arrays.regions
        self.symmetry = arrays.symmetry
        self.landmarks478 = arrays.landmarks478
        self.landmarks68 = arrays.landmarks68
        self.albedo_mean = arrays.albedo_mean
        self.albedo_basis = arrays.albedo_basis
        self.identity_count = len(arrays.identity_basis)
        self._identity_rows = arrays.identity_basis.reshape(self.identity_count, -1)
        self._expression_rows = arrays.expression_basis.reshape(len(ARKIT_CHANNELS), -1)
        self._normals = VertexNormals(self.faces, len(self.mean))
        self._neutrals: OrderedDict[bytes, Floats] = OrderedDict()

    @property
    def vertex_count(self) -> int:
        """V."""
        return len(self.mean)

    def identity(self, values: NDArray[np.floating] | None = None) -> Floats:
        """(K,) coefficients: `values` padded with zeros, or the mean face.

        Raises:
            ValueError: more values than the model has coefficients.
        """
        full = np.zeros(self.identity_count, np.float32)
        if values is not None:
            if len(values) > self.identity_count:
                raise ValueError(f"{self.name} has {self.identity_count} identity coefficients, not {len(values)}")
            full[: len(values)] = values
        return full

    def neutral(self, identity: NDArray[np.floating]) -> Floats:
        """(V, 3) neutral vertices of an identity, metres. The last few identities are cached: do not write to it."""
        coefficients = self.identity(identity)
        key = coefficients.tobytes()
        cached = self._neutrals.get(key)
        if cached is None:
            cached = accumulate_rows(self.mean.reshape(-1), self._identity_rows, coefficients).reshape(-1, 3)
            cached.flags.writeable = False
            self._neutrals[key] = cached
            if len(self._neutrals) > NEUTRAL_CACHE_SIZE:
                self._neutrals.popitem(last=False)
        else:
            self._neutrals.move_to_end(key)
        return cached

    def joints(self, identity: NDArray[np.floating]) -> Floats:
        """(4, 3) positions of neck, jaw, left eye, right eye of an identity, metres."""
        return np.asarray(
            self._arrays.joint_mean + np.tensordot(self.identity(identity), self._arrays.joint_basis, axes=1),
            np.float32,
        )

    def pose(
        self,
        identity: NDArray[np.floating],
        expression: NDArray[np.floating],
        gaze: NDArray[np.floating] | None = None,
        jaw: NDArray[np.floating] | None = None,
        neck: NDArray[np.floating] | None = None,
    ) -> PosedFace:
        """Poses the face.

        The 52 channels deform skin, teeth and tongue; the eyeballs turn about the eye joints alone. The jaw joint is
        for models without `jawOpen` and normally stays None. The neck joint bends the neck below the head, which
        stays where it is.

        Args:
            identity: (<= K,) coefficients.
            expression: (52,) channel values.
            gaze: (2, 2) radians, rows left and right eye, columns yaw and pitch.
            jaw, neck: (3,) rotation vectors in radians, head frame.

        Raises:
            ValueError: not 52 channels, or more identity coefficients than the model has.
        """
        values = np.ascontiguousarray(expression, np.float32)
        if values.shape != (len(ARKIT_CHANNELS),):
            raise ValueError(f"an expression has 52 channels, not an array of shape {values.shape}")
        neutral = self.neutral(identity)
        vertices = accumulate_rows(neutral.reshape(-1), self._expression_rows, values).reshape(-1, 3)
        turns = np.repeat(np.eye(3, dtype=np.float32)[None], 4, axis=0)
        if neck is not None:
            turns[0] = rotations.from_rotvec(neck)
        if jaw is not None:
            turns[1] = rotations.from_rotvec(jaw)
        if gaze is not None:
            for eye in range(2):
                turns[2 + eye] = rotations.from_euler(float(gaze[eye, 0]), float(gaze[eye, 1]), 0.0)
        if neck is not None or jaw is not None or gaze is not None:
            skin_vertices(vertices, self._skinned, self._skin_weights, self.joints(identity), turns)
        return PosedFace(vertices, self._normals(vertices), neutral)

    @cached_property
    def _skinned(self) -> NDArray[np.int32]:
        return np.flatnonzero(self._arrays.skin_weights.sum(axis=1) > 0).astype(np.int32)

    @cached_property
    def _skin_weights(self) -> Floats:
        return np.ascontiguousarray(self._arrays.skin_weights[self._skinned])

    def albedo(self, coefficients: NDArray[np.floating] | None = None) -> Floats | None:
        """(S, S, 3) skin colour over the face UV, linear light in 0..1; None for a model without albedo.

        Args:
            coefficients: (<= A,) in standard deviations, None for the mean.
        """
        mean, basis = self.albedo_mean, self.albedo_basis
        if mean is None or basis is None or coefficients is None:
            return mean
        count = min(len(coefficients), len(basis))
        shift = np.tensordot(np.asarray(coefficients[:count], np.float32), basis[:count], axes=1)
        if shift.shape != mean.shape:
            # The sum is enlarged, not each of its terms: the same, for both are linear.
            shift = np.asarray(cv2.resize(shift, mean.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
        return np.asarray(np.clip(mean * np.exp(shift), 0.0, 1.0), np.float32)

    def normals(self, vertices: Floats) -> Floats:
        """(V, 3) unit area-weighted normals of (V, 3) vertices."""
        return self._normals(vertices)

    def part_faces(self, *names: str) -> NDArray[np.int32]:
        """Indices of the triangles of the named parts.

        Raises:
            KeyError: the model has no such part.
        """
        wanted = []
        for name in names:
            if name not in self.part_names:
                raise KeyError(f"{self.name} has no part {name!r}; it has {', '.join(self.part_names)}")
            wanted.append(self.part_names.index(name))
        return np.flatnonzero(np.isin(self.face_part, wanted)).astype(np.int32)

    def embed(self, vertices: NDArray[np.floating], embedding: Embedding) -> Floats:
        """(N, 3) points of an embedding on (V, 3) vertices."""
        corners = vertices[self.faces[embedding.triangles]]
        return np.asarray(np.einsum("nk,nkd->nd", embedding.barycentrics, corners), np.float32)


@cache
def load_face_model(path: Path = SHIPPED_MODEL) -> FaceModel:
    """The face model of a file, by default the shipped head. Loaded once per path and process.

    Raises:
        ModelFileError: the file is missing, damaged or of another layout; the message is one sentence for the user.
    """
    return FaceModel(read_arrays(path))
