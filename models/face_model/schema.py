"""The file layout of a face model: named arrays in one safetensors file, checked before anything uses them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from models.channels import CHANNEL_COUNT

Floats = NDArray[np.float32]
SCHEMA_VERSION = 1
PARTS = ("skin", "eye_left", "eye_right", "teeth", "tongue", "lashes")
JOINTS = ("neck", "jaw", "eye_left", "eye_right")
REGIONS = {
    "face": "the skin that carries detail: from hairline to chin, without lips' inside, ears and neck",
    "lips": "the red of the lips",
    "brows": "under the eyebrows' hair",
    "beard": "where a beard grows",
    "scalp": "the hair cap",
    "ears": "both ears",
    "neck": "everything below the jaw",
    "hidden": "mouth interior and eye sockets: cleaned before tension maps, never textured from pictures",
    "outline": "Omega: the outer band of the face on which the silhouette may lie, without ears and neck",
    "nose": "the nose",
    "lids": "the eyelids",
    "forehead": "the forehead",
}
"""Vertex regions, each (V,) in 0..1."""

MAX_ALBEDO_SIZE = 2048
MAX_ALBEDO_COMPONENTS = 64
"""Limits of what a file may ask for: its colour basis is enlarged to the size of its mean."""


class ModelFileError(Exception):
    """A model file that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """Points fixed on a mesh.

    Attributes:
        triangles: (N,) int32 indices into the model's faces.
        barycentrics: (N, 3) float32, each row sums to 1.
    """

    triangles: NDArray[np.int32]
    barycentrics: Floats


@dataclass(frozen=True, slots=True)
class FaceModelArrays:
    """All arrays of a face model; shapes and meaning as in `FaceModel`.

    Beyond those: `joint_mean` (4, 3) and `joint_basis` (K, 4, 3) give the joints of an identity; `skin_weights` (V, 4)
    the share of each joint (the rest stays with the head); `albedo_mean` (S, S, 3) and `albedo_basis` (A, S', S', 3)
    are colour over the face UV: linear light is `albedo_mean * exp(coefficients @ albedo_basis)`, coefficients in
    standard deviations; a coarser basis (S' < S) is enlarged. Both may be None.
    """

    name: str
    source: str
    mean: Floats
    identity_basis: Floats
    expression_basis: Floats
    faces: NDArray[np.int32]
    uv: Floats
    uv_faces: NDArray[np.int32]
    uv_vertex: NDArray[np.int32]
    part_names: tuple[str, ...]
    face_part: NDArray[np.uint8]
    regions: dict[str, Floats]
    symmetry: NDArray[np.int32]
    joint_mean: Floats
    joint_basis: Floats
    skin_weights: Floats
    landmarks478: Embedding
    landmarks68: Embedding
    albedo_mean: Floats | None = None
    albedo_basis: Floats | None = None


def write_arrays(path: Path, arrays: FaceModelArrays) -> None:
    """Writes a model file: float16 for bases and colours, float32 where millimetres would suffer."""
    tensors: dict[str, NDArray[np.generic]] = {
        "mean": arrays.mean,
        "identity_basis": arrays.identity_basis.astype(np.float16),
        "expression_basis": arrays.expression_basis.astype(np.float16),
        "faces": arrays.faces,
        "uv": arrays.uv,
        "uv_faces": arrays.uv_faces,
        "uv_vertex": arrays.uv_vertex,
        "face_part": arrays.face_part,
        "symmetry": arrays.symmetry,
        "joint_mean": arrays.joint_mean,
        "joint_basis": arrays.joint_basis,
        "skin_weights": arrays.skin_weights.astype(np.float16),
        "landmarks478_triangles": arrays.landmarks478.triangles,
        "landmarks478_barycentrics": arrays.landmarks478.barycentrics,
        "landmarks68_triangles": arrays.landmarks68.triangles,
        "landmarks68_barycentrics": arrays.landmarks68.barycentrics,
    }
    for name, weights in arrays.regions.items():
        tensors[f"region_{name}"] = np.round(np.clip(weights, 0, 1) * 255).astype(np.uint8)
    if arrays.albedo_mean is not None:
        tensors["albedo_mean"] = np.round(np.clip(arrays.albedo_mean, 0, 1) * 255).astype(np.uint8)
    if arrays.albedo_basis is not None:
        scale = np.abs(arrays.albedo_basis).max(axis=(1, 2, 3)) / 127.0
        tensors["albedo_basis"] = np.round(arrays.albedo_basis / scale[:, None, None, None]).astype(np.int8)
        tensors["albedo_scale"] = scale.astype(np.float32)
    metadata = {
        "schema_version": str(SCHEMA_VERSION),
        "name": arrays.name,
        "source": arrays.source,
        "parts": json.dumps(arrays.part_names),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, path, metadata=metadata)


def read_arrays(path: Path) -> FaceModelArrays:
    """Reads and checks a model file.

    Raises:
        ModelFileError: missing, damaged, newer schema, or arrays whose shapes or indices do not belong together.
    """
    if not path.is_file():
        raise ModelFileError(f"The face model {path} is missing; install Mien again or name another model file.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFileError(f"The face model {path} is damaged ({error}); install Mien again.") from error
    if metadata.get("schema_version") != str(SCHEMA_VERSION):
        raise ModelFileError(
            f"The face model {path} has layout version {metadata.get('schema_version', 'unknown')} and this program "
            f"reads version {SCHEMA_VERSION}; convert it again with `python main.py face-model`."
        )
    try:
        arrays = _assemble(metadata, tensors)
        _check(arrays)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise ModelFileError(f"The face model {path} is not complete ({error}); convert it again.") from error
    return arrays


def _assemble(metadata: dict[str, str], tensors: dict[str, NDArray[np.generic]]) -> FaceModelArrays:
    def floats(key: str) -> Floats:
        return np.ascontiguousarray(tensors[key], np.float32)

    def ints(key: str) -> NDArray[np.int32]:
        return np.ascontiguousarray(tensors[key], np.int32)

    arrays = FaceModelArrays(
        name=metadata["name"],
        source=metadata.get("source", ""),
        mean=floats("mean"),
        identity_basis=floats("identity_basis"),
        expression_basis=floats("expression_basis"),
        uv=floats("uv"),
        part_names=_part_names(metadata["parts"]),
        face_part=np.ascontiguousarray(tensors["face_part"], np.uint8),
        regions={k[7:]: floats(k) / 255.0 for k in tensors if k.startswith("region_")},
        joint_mean=floats("joint_mean"),
        joint_basis=floats("joint_basis"),
        skin_weights=floats("skin_weights"),
        landmarks478=Embedding(ints("landmarks478_triangles"), floats("landmarks478_barycentrics")),
        landmarks68=Embedding(ints("landmarks68_triangles"), floats("landmarks68_barycentrics")),
        faces=ints("faces"),
        uv_faces=ints("uv_faces"),
        uv_vertex=ints("uv_vertex"),
        symmetry=ints("symmetry"),
    )
    if "albedo_mean" in tensors:
        _check_square("albedo mean", tensors["albedo_mean"].shape)
        arrays = replace(arrays, albedo_mean=floats("albedo_mean") / 255.0)
    if "albedo_basis" in tensors:
        count, *shape = tensors["albedo_basis"].shape
        _check_square("albedo basis", tuple(shape))
        if not 1 <= count <= MAX_ALBEDO_COMPONENTS:
            raise ValueError(f"the albedo basis has {count} components, not 1 to {MAX_ALBEDO_COMPONENTS}")
        basis = floats("albedo_basis") * floats("albedo_scale")[:, None, None, None]
        if "albedo_mean" not in tensors:
            raise ValueError("there is an albedo basis without its mean")
        arrays = replace(arrays, albedo_basis=basis)
    return arrays


def _part_names(text: str) -> tuple[str, ...]:
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("the part names are not a list of names")
    return tuple(names)


def _check_square(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or shape[0] != shape[1] or shape[2] != 3 or not 1 <= shape[0] <= MAX_ALBEDO_SIZE:
        raise ValueError(f"the {name} has shape {shape} instead of a square of up to {MAX_ALBEDO_SIZE} texels")


def _check(arrays: FaceModelArrays) -> None:
    """Raises ValueError where shapes or indices do not belong together, so that no kernel reads out of bounds."""
    count = len(arrays.mean)
    expected: dict[str, tuple[NDArray[np.generic], tuple[int, ...]]] = {
        "mean": (arrays.mean, (count, 3)),
        "identity basis": (arrays.identity_basis, (len(arrays.identity_basis), count, 3)),
        "expression basis": (arrays.expression_basis, (CHANNEL_COUNT, count, 3)),
        "faces": (arrays.faces, (len(arrays.faces), 3)),
        "UV faces": (arrays.uv_faces, (len(arrays.faces), 3)),
        "face parts": (arrays.face_part, (len(arrays.faces),)),
        "UV points": (arrays.uv, (len(arrays.uv_vertex), 2)),
        "symmetry": (arrays.symmetry, (count,)),
        "joints": (arrays.joint_mean, (len(JOINTS), 3)),
        "joint basis": (arrays.joint_basis, (len(arrays.identity_basis), len(JOINTS), 3)),
        "skin weights": (arrays.skin_weights, (count, len(JOINTS))),
        "478 landmarks": (arrays.landmarks478.barycentrics, (478, 3)),
        "68 landmarks": (arrays.landmarks68.barycentrics, (68, 3)),
        "478 landmarks' triangles": (arrays.landmarks478.triangles, (478,)),
        "68 landmarks' triangles": (arrays.landmarks68.triangles, (68,)),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(f"the {name} have shape {array.shape} instead of {shape}")
    missing = sorted(set(REGIONS) - set(arrays.regions))
    if missing:
        raise ValueError(f"these regions are missing: {', '.join(missing)}")
    for name, weights in arrays.regions.items():
        if weights.shape != (count,):
            raise ValueError(f"region {name} has {len(weights)} values for {count} vertices")
    limits: dict[str, tuple[NDArray[np.integer], int]] = {
        "faces": (arrays.faces, count),
        "UV faces": (arrays.uv_faces, len(arrays.uv)),
        "UV vertices": (arrays.uv_vertex, count),
        "symmetry": (arrays.symmetry, count),
        "face parts": (arrays.face_part, len(arrays.part_names)),
        "478 landmarks": (arrays.landmarks478.triangles, len(arrays.faces)),
        "68 landmarks": (arrays.landmarks68.triangles, len(arrays.faces)),
    }
    for name, (indices, limit) in limits.items():
        if indices.size and (indices.min() < 0 or indices.max() >= limit):
            raise ValueError(f"the {name} point outside the mesh")
