"""Converts an ICT-FaceKit folder (Li et al. 2020, MIT licence) to our layout.

The folder `FaceXModel` holds `generic_neutral_mesh.obj`, `identityNNN.obj` and one OBJ per expression, all of one
topology, in centimetres. Its expressions are ARKit's, with sides as `_L` and `_R` and a few channels split in two.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from models.channels import ARKIT_CHANNELS
from models.face_model.model import FaceModel, load_face_model
from models.face_model.schema import JOINTS, ModelFileError, write_arrays
from models.face_model.transfer import ForeignHead, foreign_arrays, lay_over, linear_part

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEUTRAL = "generic_neutral_mesh.obj"
KEPT_IDENTITY = 100
METRES_PER_UNIT = 0.01
LARGEST_FILE = 64 * 1024 * 1024
EYE_REACH = 0.017
"""Metres around an eye joint within which the whole of a separate piece must lie to be an eyeball."""


def convert_ict(folder: Path, out: Path, shipped: FaceModel | None = None) -> list[str]:
    """Writes `out` (safetensors) from an ICT-FaceKit folder.

    Args:
        folder: `FaceXModel`, as downloaded.
        out: file to write.
        shipped: the head that UV, regions, joints and landmarks are carried over from.

    Returns:
        ARKit channels that the folder has no shape for; they stay still.

    Raises:
        ModelFileError: the folder is not of that layout; the message is one sentence.
    """
    model = shipped or load_face_model()
    if not (folder / NEUTRAL).is_file():
        raise ModelFileError(f"{folder} has no {NEUTRAL}; name the folder FaceXModel of ICT-FaceKit.")
    neutral, faces = read_obj(folder / NEUTRAL)
    match = lay_over(model, neutral, METRES_PER_UNIT)
    turn = linear_part(neutral, match.vertices)

    def offsets(name: str) -> Floats | None:
        path = folder / f"{name}.obj"
        if not path.is_file():
            return None
        vertices, _ = read_obj(path, with_faces=False)
        if vertices.shape != neutral.shape:
            raise ModelFileError(f"{path} has {len(vertices)} vertices and the neutral mesh {len(neutral)}.")
        return np.asarray((vertices - neutral) @ turn)

    identity: list[Floats] = []
    while len(identity) < KEPT_IDENTITY and (shape := offsets(f"identity{len(identity):03d}")) is not None:
        identity.append(shape)
    if not identity:
        raise ModelFileError(f"{folder} has no identity000.obj; name the whole folder FaceXModel.")
    expression = np.zeros((len(ARKIT_CHANNELS), *neutral.shape))
    missing = []
    for index, channel in enumerate(ARKIT_CHANNELS):
        shapes = [shape for name in ict_names(channel) if (shape := offsets(name)) is not None]
        if shapes:
            expression[index] = np.sum(shapes, axis=0)
        else:
            missing.append(channel)

    joints = model.joints(model.identity()).astype(np.float64)
    eye = _eyeballs(match.vertices, faces, joints)
    expression[:, eye > 0] = 0.0
    skin_weights = np.zeros((len(neutral), len(JOINTS)))
    for side in (1, 2):
        own = eye == side
        skin_weights[own, 1 + side] = 1.0
        if own.any():
            joints[1 + side] = (match.vertices[own].max(axis=0) + match.vertices[own].min(axis=0)) / 2
    neck = np.einsum("vk,vk->v", match.barycentrics, model.regions["neck"][model.faces[match.triangles]])
    skin_weights[:, 0] = np.where(eye > 0, 0.0, neck)
    basis = np.stack(identity)
    # No joints in the folder: eyeballs tell theirs, neck and jaw keep their place.
    joint_basis = np.zeros((len(basis), len(JOINTS), 3))
    for side in (1, 2):
        if (eye == side).any():
            joint_basis[:, 1 + side] = basis[:, eye == side].mean(axis=1)
    foreign = ForeignHead(faces, basis, expression, joints, joint_basis, skin_weights, eye)
    origin = f"converted from {folder.name}; ICT-FaceKit, MIT"
    arrays = foreign_arrays(model, match, foreign, name="ict-facekit", source=origin)
    write_arrays(out, arrays)
    return missing


def ict_names(channel: str) -> tuple[str, ...]:
    """The folder's names for an ARKit channel: sides as `_L` and `_R`; channels without a side may come in halves."""
    for side, short in (("Left", "_L"), ("Right", "_R")):
        # jawLeft and mouthLeft are directions, not sides, and keep their names.
        if channel.endswith(side) and channel[: -len(side)] not in ("jaw", "mouth"):
            return (channel[: -len(side)] + short,)
    return channel, f"{channel}_L", f"{channel}_R"


def read_obj(path: Path, with_faces: bool = True) -> tuple[Floats, Ints]:
    """Vertices (V, 3) and triangles (F, 3) of a Wavefront OBJ; quads are split.

    Raises:
        ModelFileError: too large, not a mesh, or faces that point outside it.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise ModelFileError(f"{path} is larger than {LARGEST_FILE // 2**20} MB, which no mesh of this model is.")
    vertices: list[list[float]] = []
    triangles: list[list[int]] = []
    try:
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("v "):
                vertices.append([float(x) for x in line.split()[1:4]])
            elif with_faces and line.startswith("f "):
                corners = [int(c.split("/")[0]) - 1 for c in line.split()[1:]]
                triangles += [[corners[0], corners[k], corners[k + 1]] for k in range(1, len(corners) - 1)]
        points = np.array(vertices, np.float64).reshape(-1, 3)
    except ValueError as error:
        raise ModelFileError(f"{path} is no OBJ mesh ({error}).") from error
    faces = np.array(triangles, np.int64).reshape(-1, 3)
    if not len(points) or (faces.size and (faces.min() < 0 or faces.max() >= len(points))):
        raise ModelFileError(f"{path} is empty or has faces that point outside its mesh.")
    return points, faces


def _eyeballs(vertices: Floats, faces: Ints, joints: Floats) -> Ints:
    """(V,) 1 on the left eyeball, 2 on the right, 0 elsewhere: separate pieces that lie wholly around an eye joint."""
    count = len(vertices)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count))
    _, piece = connected_components(graph, directed=False)
    eye = np.zeros(count, np.int64)
    for side in (1, 2):
        farthest = np.zeros(piece.max() + 1)
        np.maximum.at(farthest, piece, np.linalg.norm(vertices - joints[1 + side], axis=1))
        eye[farthest[piece] < EYE_REACH * 1.3] = side
    return eye
