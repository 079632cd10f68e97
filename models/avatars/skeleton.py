"""The nodes of an avatar file: the tree, its rest pose, and which node is which bone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.avatars.avatar import Skeleton
from models.avatars.container import Document, as_int, as_list

__all__ = ["NodeTree", "named_roles", "read_nodes"]

MOST_NODES = 8192
LARGEST_MOVE = 1e6


@dataclass(frozen=True, slots=True)
class NodeTree:
    """The nodes in an order in which parents come first.

    Attributes:
        entries: the file's objects.
        place: where a node of the file stands in `entries`.
        names, parents, rest: as in Skeleton.
        shown: places of the nodes that belong to the scene.
    """

    entries: tuple[dict[str, Any], ...]
    place: dict[int, int]
    names: tuple[str, ...]
    parents: NDArray[np.int32]
    rest: NDArray[np.float64]
    shown: frozenset[int]


def read_nodes(document: Document) -> NodeTree:
    """Reads the tree.

    Raises:
        AvatarFileError: nodes form a circle or have two parents, or a transform is not made of numbers.
    """
    nodes = document.items("nodes")
    if len(nodes) > MOST_NODES:
        raise document.error(f"has {len(nodes)} nodes; {MOST_NODES} are read.")
    parent = [-1] * len(nodes)
    for i, node in enumerate(nodes):
        for child in as_list(node.get("children")):
            number = as_int(child)
            if not 0 <= number < len(nodes):
                raise document.error(f"is damaged: node {i} has a child {child} that does not exist.")
            if parent[number] >= 0:
                raise document.error(f"is damaged: node {number} has two parents.")
            parent[number] = i
    order = [i for i, above in enumerate(parent) if above < 0]
    for i in order:
        order.extend(as_list(nodes[i].get("children")))
    if len(order) != len(nodes):
        raise document.error("is damaged: its nodes form a circle.")
    place = {number: i for i, number in enumerate(order)}
    return NodeTree(
        entries=tuple(nodes[i] for i in order),
        place=place,
        names=tuple(str(nodes[i].get("name", f"node {i}"))[:200] for i in order),
        parents=np.array([place[parent[i]] if parent[i] >= 0 else -1 for i in order], np.int32),
        rest=np.array([_local(document, nodes[i], i) for i in order], np.float64).reshape(len(order), 4, 4),
        shown=frozenset(_shown(document, nodes, place)),
    )


def _shown(document: Document, nodes: list[dict[str, Any]], place: dict[int, int]) -> Iterable[int]:
    scenes = document.items("scenes")
    if not scenes:
        return place.values()
    scene = scenes[min(max(as_int(document.json.get("scene"), 0), 0), len(scenes) - 1)]
    open_nodes = [n for n in as_list(scene.get("nodes")) if as_int(n) in place]
    for number in open_nodes:
        open_nodes.extend(as_list(nodes[number].get("children")))
        if len(open_nodes) > 4 * MOST_NODES:
            raise document.error("is damaged: its scene names nodes again and again.")
    return [place[number] for number in open_nodes]


def _local(document: Document, node: dict[str, Any], index: int) -> NDArray[np.float64]:
    """(4, 4) of a node's own transform."""

    def numbers(key: str, default: tuple[float, ...]) -> NDArray[np.float64]:
        value = node.get(key)
        if value is None:
            return np.array(default)
        try:
            found = np.array(value, np.float64).reshape(-1)
        except (TypeError, ValueError):
            found = np.zeros(0)
        if found.shape != (len(default),) or not np.isfinite(found).all() or np.abs(found).max() > LARGEST_MOVE:
            raise document.error(f"is damaged: the {key} of node {index} is not made of {len(default)} numbers.")
        return found

    if "matrix" in node:
        return numbers("matrix", (0.0,) * 16).reshape(4, 4).T
    x, y, z, w = numbers("rotation", (0.0, 0.0, 0.0, 1.0))
    matrix = np.eye(4)
    square = x * x + y * y + z * z + w * w
    if square > 0:
        s = 2.0 / square
        matrix[:3, :3] = [
            [1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)],
            [s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x)],
            [s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y)],
        ]
    matrix[:3, :3] *= numbers("scale", (1.0, 1.0, 1.0))
    matrix[:3, 3] = numbers("translation", (0.0, 0.0, 0.0))
    return matrix


_NOISE = re.compile(
    r"^(?:mixamorig\d*|ccbase|jbip|jadj|jsec|bip\d*|rig|def|org|armature|valvebiped|character\d*|avatar)+"
)
_MIDDLE = re.compile(r"^c(?=head$|neck|chest|upperchest|hips|jaw)")
_NAMES = {
    "hips": ("hips", "hip", "pelvis"),
    "chest": ("chest", "upperchest", "spine2", "spine02", "spine3", "spine03"),
    "neck": ("neck", "neck1", "neck01", "necktwist01", "spine5", "spine05"),
    "head": ("head", "head1", "head01", "spine6", "spine06"),
    "jaw": ("jaw", "jawroot", "jaw01", "lowerjaw", "jawbone", "jawmaster"),
}
_SIDED = {
    "eye": ("eye", "faceeye", "eyeball", "eyes", "eye01", "eyebone"),
    "upper_arm": ("arm", "upperarm", "uparm", "shoulderarm", "arm1"),
    "lower_arm": ("forearm", "lowerarm", "loarm", "arm2", "elbow"),
}


def _known_names() -> dict[str, str]:
    table = {name: role for role, names in _NAMES.items() for name in names}
    for part, names in _SIDED.items():
        for side, short in (("left", "l"), ("right", "r")):
            for name in names:
                for spelled in (f"{side}{name}", f"{name}{side}", f"{short}{name}", f"{name}{short}"):
                    table.setdefault(spelled, f"{side}_{part}")
    return table


_KNOWN = _known_names()


def named_roles(tree: NodeTree, joints: frozenset[int]) -> dict[str, int]:
    """Role -> place of the node whose name says so, where the file itself does not tell.

    Args:
        tree: the nodes.
        joints: places of the nodes that skins refer to; where there are any, only they are bones.
    """
    roles: dict[str, int] = {}
    for i, name in enumerate(tree.names):
        if joints and i not in joints:
            continue
        plain = re.sub(r"[^a-z0-9]", "", name.lower())
        short = _MIDDLE.sub("", _NOISE.sub("", plain))
        role = _KNOWN.get(plain) or _KNOWN.get(short)
        if role:
            # Further down: "Spine2" before "UpperChest", but the neck's first bone.
            if role in roles and role != "chest":
                continue
            roles[role] = i
    return roles


def skeleton_of(tree: NodeTree, roles: dict[str, int], turned: bool) -> Skeleton:
    """The skeleton with its roles.

    Args:
        turned: turn everything by 180 degrees about the upright axis.
    """
    rest = tree.rest.copy()
    if turned:
        around = np.diag([-1.0, 1.0, -1.0, 1.0])
        for i in np.flatnonzero(tree.parents < 0):
            rest[i] = around @ rest[i]
    return Skeleton(tree.names, tree.parents, rest, roles)
