"""GLB: the person's head with 52 morph targets, animated, the way real-time engines and Blender take it."""

from __future__ import annotations

import cv2
import numpy as np
import pygltflib as gl
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.geometry.rotations import from_euler, to_quaternion
from recordings.exporters.base import Job, part_file
from recordings.exporters.parts import HeadParts, Part
from recordings.exporters.relief import ReliefShapes, relief_shapes
from recordings.track import Track

__all__ = ["export_glb"]

Floats = NDArray[np.float32]
SMALLEST_MOVE = 1e-6
"""Metres: a target that moves a vertex by less leaves it where it is."""


def export_glb(job: Job) -> None:
    """One file: mesh in the neutral face of the person, textures, morph targets under the ARKit names, one animation.

    glTF's frame is our head frame (metres, +y up, +z out of the face, +x to the subject's left). The node `Head`
    carries the head's motion, seen by a camera at the origin that looks along -z; eyeballs are nodes that turn. With
    `wrinkles` the skin is refined once and gets the relief as further targets, `wrinkle1` and so on. Frames without
    a face hold the last values. Times are the frames' own, from 0.
    """
    track = job.animation()
    model = job.model()
    details = job.session.details() if job.options.wrinkles else None
    parts = HeadParts(model, refine=1 if details is not None else 0)
    shapes = None
    if details is not None:
        shapes = relief_shapes(
            parts.skin, details.between(track.time_s[0], track.time_s[-1]), job.options.wrinkle_shapes
        )
    identity = model.identity(track.identity)
    builder = _Builder(parts, identity)
    job.progress(1, 4)
    nodes, head, face, eyes = builder.head(shapes)
    job.progress(2, 4)
    builder.animate(track, nodes, head, face, eyes, shapes)
    job.progress(3, 4)
    with part_file(job.out) as part:
        builder.save(part)
    job.progress(4, 4)


class _Builder:
    """Fills a glTF document."""

    def __init__(self, parts: HeadParts, identity: Floats) -> None:
        self._parts = parts
        self._model = parts.model
        self._identity = identity
        self._data = bytearray()
        self._doc = gl.GLTF2()
        self._doc.asset = gl.Asset(version="2.0", generator="Mien")
        self._doc.samplers = [gl.Sampler(magFilter=gl.LINEAR, minFilter=gl.LINEAR_MIPMAP_LINEAR)]

    def head(self, shapes: ReliefShapes | None) -> tuple[list[gl.Node], int, int, list[int]]:
        """Meshes and nodes; returns the nodes, and the indices of head, face and eyes among them."""
        doc, model = self._doc, self._model
        neutral = model.neutral(self._identity)
        normals = model.normals(neutral)
        joints = model.joints(self._identity)
        materials = {part.name: self._material(part) for part in self._parts.parts}
        face_names = list(ARKIT_CHANNELS)
        count = 0 if shapes is None else len(shapes.shapes)
        face_names += [f"wrinkle{k + 1}" for k in range(count)]
        face = gl.Mesh(name="Face", extras={"targetNames": face_names}, weights=[0.0] * len(face_names))
        nodes = [gl.Node(name="Head", children=[1]), gl.Node(name="Face", mesh=0)]
        doc.meshes = [face]
        eyes = []
        for part in self._parts.parts:
            if part.eye is None:
                targets = self._targets(part, neutral, normals, shapes if part.name == "skin" else None, count)
                face.primitives.append(self._primitive(part, neutral, normals, materials[part.name], targets))
                continue
            name = ("LeftEye", "RightEye")[part.eye]
            middle = joints[2 + part.eye]
            mesh = gl.Mesh(name=name)
            mesh.primitives = [self._primitive(part, neutral - middle, normals, materials[part.name], [])]
            doc.meshes.append(mesh)
            nodes[0].children = [*(nodes[0].children or []), len(nodes)]
            eyes.append(len(nodes))
            nodes.append(gl.Node(name=name, mesh=len(doc.meshes) - 1, translation=[float(v) for v in middle]))
        doc.nodes = nodes
        doc.scenes, doc.scene = [gl.Scene(nodes=[0])], 0
        return nodes, 0, 1, eyes

    def animate(
        self, track: Track, nodes: list[gl.Node], head: int, face: int, eyes: list[int], shapes: ReliefShapes | None
    ) -> None:
        """The animation, and the first frame as the pose at rest."""
        times = (track.time_s - track.time_s[0]).astype(np.float32)
        # Two frames must not fall on the same time.
        kept = np.concatenate([[True], np.diff(times) > 0])
        weights = track.expression[kept]
        if shapes is not None:
            weights = np.concatenate([weights, shapes.at(track.time_s[kept])], axis=1)
        translation = (track.translation[kept] * (1, -1, -1)).astype(np.float32)
        turns = _continuous(track.quaternion[kept])[:, [1, 2, 3, 0]].astype(np.float32)
        at = self._accessor(times[kept], "SCALAR", bounds=True)
        animation = gl.Animation(name="Tracked")
        self._doc.animations = [animation]

        def channel(node: int, path: str, output: int) -> None:
            animation.samplers.append(gl.AnimationSampler(input=at, output=output, interpolation="LINEAR"))
            target = gl.AnimationChannelTarget(node=node, path=path)
            animation.channels.append(gl.AnimationChannel(sampler=len(animation.samplers) - 1, target=target))

        channel(head, "translation", self._accessor(translation, "VEC3"))
        channel(head, "rotation", self._accessor(turns, "VEC4"))
        channel(face, "weights", self._accessor(np.ascontiguousarray(weights, np.float32).reshape(-1), "SCALAR"))
        for eye, node in enumerate(eyes):
            gaze = [to_quaternion(from_euler(float(y), float(p), 0.0)) for y, p in track.gaze[kept][:, eye]]
            gaze_xyzw = _continuous(np.array(gaze))[:, [1, 2, 3, 0]].astype(np.float32)
            channel(node, "rotation", self._accessor(gaze_xyzw, "VEC4"))
            nodes[node].rotation = [float(v) for v in gaze_xyzw[0]]
        nodes[head].translation = [float(v) for v in translation[0]]
        nodes[head].rotation = [float(v) for v in turns[0]]

    def save(self, path: object) -> None:
        """Write the document as GLB."""
        self._doc.buffers = [gl.Buffer(byteLength=len(self._data))]
        self._doc.set_binary_blob(bytes(self._data))
        self._doc.save_binary(str(path))

    def _targets(
        self, part: Part, neutral: Floats, normals: Floats, relief: ReliefShapes | None, count: int
    ) -> list[dict[str, int]]:
        """Accessors of the morph targets of a part; every part of the face has the same number of them, `count` beyond
        the channels."""
        own_normals = part.points(normals)
        still = np.zeros_like(own_normals)
        found = []
        for row in self._model.expression_basis:
            moves = part.points(row)
            turned = _told(part.points(self._model.normals(neutral + row)) - own_normals)
            found.append({"POSITION": self._sparse(moves), "NORMAL": self._sparse(turned)})
        if relief is None:
            found += [{"POSITION": self._sparse(still), "NORMAL": self._sparse(still)} for _ in range(count)]
            return found
        skin = self._parts.skin
        at_rest, flat = skin.raised(neutral, normals, np.zeros(len(still), np.float32))
        for shape in relief.shapes:
            raised, bent = skin.raised(neutral, normals, shape)
            found.append({"POSITION": self._sparse(raised - at_rest), "NORMAL": self._sparse(_told(bent - flat))})
        return found

    def _primitive(
        self, part: Part, vertices: Floats, normals: Floats, material: int, targets: list[dict[str, int]]
    ) -> gl.Primitive:
        attributes = gl.Attributes(
            POSITION=self._accessor(part.points(vertices), "VEC3", bounds=True, target=gl.ARRAY_BUFFER),
            NORMAL=self._accessor(_unit(part.points(normals)), "VEC3", target=gl.ARRAY_BUFFER),
            TEXCOORD_0=self._accessor(part.uv, "VEC2", target=gl.ARRAY_BUFFER),
        )
        faces = np.ascontiguousarray(part.faces, np.uint32).reshape(-1)
        indices = self._accessor(faces, "SCALAR", target=gl.ELEMENT_ARRAY_BUFFER)
        return gl.Primitive(attributes=attributes, indices=indices, material=material, targets=targets or None)

    def _material(self, part: Part) -> int:
        doc = self._doc
        done, png = cv2.imencode(".png", np.ascontiguousarray(part.texture[..., ::-1]))
        assert done
        doc.images.append(gl.Image(bufferView=self._view(png.tobytes()), mimeType="image/png", name=part.name))
        doc.textures.append(gl.Texture(source=len(doc.images) - 1, sampler=0))
        rough = {"eye_left": 0.15, "eye_right": 0.15, "teeth": 0.35}.get(part.name, 0.6)
        shading = gl.PbrMetallicRoughness(
            baseColorTexture=gl.TextureInfo(index=len(doc.textures) - 1), metallicFactor=0.0, roughnessFactor=rough
        )
        doc.materials.append(gl.Material(name=part.name, pbrMetallicRoughness=shading))
        return len(doc.materials) - 1

    def _view(self, data: bytes, target: int | None = None) -> int:
        self._data.extend(b"\0" * (-len(self._data) % 4))
        view = gl.BufferView(buffer=0, byteOffset=len(self._data), byteLength=len(data), target=target)
        self._data.extend(data)
        self._doc.bufferViews.append(view)
        return len(self._doc.bufferViews) - 1

    def _accessor(
        self, values: NDArray[np.generic], kind: str, *, bounds: bool = False, target: int | None = None
    ) -> int:
        component = gl.UNSIGNED_INT if values.dtype == np.uint32 else gl.FLOAT
        accessor = gl.Accessor(
            bufferView=self._view(values.tobytes(), target), componentType=component, count=len(values), type=kind
        )
        if bounds:
            flat = np.asarray(values, np.float32).reshape(len(values), -1)
            accessor.min, accessor.max = flat.min(0).tolist(), flat.max(0).tolist()
        self._doc.accessors.append(accessor)
        return len(self._doc.accessors) - 1

    def _sparse(self, values: Floats) -> int:
        """An accessor that stores only the rows that are not zero: most targets move a small part of the face."""
        values = np.ascontiguousarray(values, np.float32)
        rows = np.flatnonzero(np.abs(values).max(axis=1) > SMALLEST_MOVE).astype(np.uint32)
        accessor = gl.Accessor(componentType=gl.FLOAT, count=len(values), type="VEC3")
        kept = np.zeros_like(values)
        kept[rows] = values[rows]
        accessor.min, accessor.max = kept.min(0).tolist(), kept.max(0).tolist()
        if len(rows):
            accessor.sparse = gl.Sparse(
                count=len(rows),
                indices=gl.AccessorSparseIndices(bufferView=self._view(rows.tobytes()), componentType=gl.UNSIGNED_INT),
                values=gl.AccessorSparseValues(bufferView=self._view(values[rows].tobytes())),
            )
        self._doc.accessors.append(accessor)
        return len(self._doc.accessors) - 1


def _continuous(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 4) with signs turned so that neighbours lie on the same side: players interpolate them as they stand."""
    flips = np.cumprod(np.where((quaternions[1:] * quaternions[:-1]).sum(1) < 0, -1.0, 1.0))
    return np.asarray(quaternions * np.concatenate([[1.0], flips])[:, None])


def _told(turned: Floats) -> Floats:
    """Changes of normals without those that nobody sees, so that they need not be stored."""
    turned[np.abs(turned).max(axis=1) < 1e-3] = 0
    return turned


def _unit(values: Floats) -> Floats:
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9), np.float32)
