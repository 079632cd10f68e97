"""Materials of an avatar file: glTF's own, with what MToon adds or replaces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.avatars.avatar import AvatarMaterial, Toon
from models.avatars.container import Document, as_int, as_list, as_number, as_object

__all__ = ["Slot", "read_materials"]

Slots = tuple["Slot", "Slot", "Slot"]


@dataclass(frozen=True, slots=True)
class Slot:
    """How a texture lies on a mesh.

    Attributes:
        coordinates: number of the UV set.
        matrix: (2, 3) applied to it.
    """

    coordinates: int
    matrix: NDArray[np.float64]


IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def read_materials(document: Document) -> list[tuple[AvatarMaterial, Slots]]:
    """Every material with the places of its base texture, normal map and emissive map.

    Raises:
        AvatarFileError: the list of materials is damaged.
    """
    vrm0 = as_list(as_object(as_object(document.json.get("extensions")).get("VRM")).get("materialProperties"))
    found = []
    for i, entry in enumerate(document.items("materials")):
        material, slots = _standard(entry)
        mtoon = as_object(as_object(entry.get("extensions")).get("VRMC_materials_mtoon"))
        if mtoon:
            material = _mtoon1(material, mtoon)
        elif i < len(vrm0):
            material = _mtoon0(material, as_object(vrm0[i]))
        found.append((material, slots))
    return found


def _numbers(value: Any, default: tuple[float, ...], most: float = 100.0) -> tuple[float, ...]:
    given = as_list(value)
    return tuple(min(max(as_number(given[i] if i < len(given) else None, d), 0.0), most) for i, d in enumerate(default))


def _slot(info: dict[str, Any]) -> Slot:
    transform = as_object(as_object(info.get("extensions")).get("KHR_texture_transform"))
    coordinates = as_int(transform.get("texCoord"), as_int(info.get("texCoord"), 0))
    if not transform:
        return Slot(coordinates, IDENTITY)
    offset, scale = (as_list(transform.get(k)) for k in ("offset", "scale"))
    ox, oy = (as_number(offset[i] if i < len(offset) else None, 0.0) for i in range(2))
    sx, sy = (as_number(scale[i] if i < len(scale) else None, 1.0) for i in range(2))
    turn = as_number(transform.get("rotation"), 0.0)
    c, s = np.cos(turn), np.sin(turn)
    return Slot(coordinates, np.array([[c * sx, s * sy, ox], [-s * sx, c * sy, oy]]))


def _texture(info: dict[str, Any]) -> int | None:
    index = as_int(info.get("index"))
    return index if index >= 0 else None


def _standard(entry: dict[str, Any]) -> tuple[AvatarMaterial, Slots]:
    pbr, extensions = as_object(entry.get("pbrMetallicRoughness")), as_object(entry.get("extensions"))
    base, normal, glow = (
        as_object(v) for v in (pbr.get("baseColorTexture"), entry.get("normalTexture"), entry.get("emissiveTexture"))
    )
    strength = as_object(extensions.get("KHR_materials_emissive_strength"))
    power = min(max(as_number(strength.get("emissiveStrength"), 1.0), 0.0), 100.0)
    r, g, b, a = _numbers(pbr.get("baseColorFactor"), (1.0, 1.0, 1.0, 1.0))
    er, eg, eb = (e * power for e in _numbers(entry.get("emissiveFactor"), (0.0, 0.0, 0.0)))
    mode = entry.get("alphaMode")
    alpha: Literal["OPAQUE", "MASK", "BLEND"] = mode if mode in ("MASK", "BLEND") else "OPAQUE"
    has_pbr_maps = "metallicRoughnessTexture" in pbr
    material = AvatarMaterial(
        name=str(entry.get("name", ""))[:200],
        base_colour=(r, g, b, a),
        base_texture=_texture(base),
        normal_texture=_texture(normal),
        normal_scale=as_number(normal.get("scale"), 1.0),
        emissive=(er, eg, eb),
        emissive_texture=_texture(glow),
        roughness=float(np.clip(as_number(pbr.get("roughnessFactor"), 1.0), 0.05, 1.0)),
        # Where a map says what is metal, most of a person is not: the factor alone would turn skin to steel.
        metallic=0.0 if has_pbr_maps else float(np.clip(as_number(pbr.get("metallicFactor"), 1.0), 0.0, 1.0)),
        alpha=alpha,
        cutoff=as_number(entry.get("alphaCutoff"), 0.5),
        double_sided=entry.get("doubleSided") is True,
        unlit="KHR_materials_unlit" in extensions,
    )
    return material, (_slot(base), _slot(normal), _slot(glow))


def _mtoon1(material: AvatarMaterial, mtoon: dict[str, Any]) -> AvatarMaterial:
    r, g, b = _numbers(mtoon.get("shadeColorFactor"), (1.0, 1.0, 1.0))
    toon = Toon(
        shade=(r, g, b),
        shift=as_number(mtoon.get("shadingShiftFactor"), 0.0),
        toony=float(np.clip(as_number(mtoon.get("shadingToonyFactor"), 0.9), 0.0, 1.0)),
    )
    return replace(
        material,
        unlit=False,
        toon=toon,
        depth_write=mtoon.get("transparentWithZWrite") is True,
        order=as_int(mtoon.get("renderQueueOffsetNumber"), 0),
    )


def _mtoon0(material: AvatarMaterial, entry: dict[str, Any]) -> AvatarMaterial:
    """VRM 0.x keeps Unity's own properties beside glTF's: colours in sRGB, modes as numbers."""
    shader = str(entry.get("shader", ""))
    if "MToon" not in shader:
        return replace(material, unlit=material.unlit or "Unlit" in shader)
    floats, vectors, maps = (
        as_object(entry.get(k)) for k in ("floatProperties", "vectorProperties", "textureProperties")
    )

    def colour(key: str, default: tuple[float, ...]) -> tuple[float, ...]:
        r, g, b, *rest = _numbers(vectors.get(key), default)
        return (_linear(r), _linear(g), _linear(b), *rest)

    r, g, b, a = colour("_Color", (1.0, 1.0, 1.0, 1.0))
    sr, sg, sb, _ = colour("_ShadeColor", (0.97, 0.81, 0.86, 1.0))
    er, eg, eb, _ = colour("_EmissionColor", (0.0, 0.0, 0.0, 1.0))
    mode = round(as_number(floats.get("_BlendMode"), 0.0))
    alphas: tuple[Literal["OPAQUE", "MASK", "BLEND"], ...] = ("OPAQUE", "MASK", "BLEND", "BLEND")
    # Unity draws by number: from 2450 what is cut out, from 3000 what is seen through.
    queue = as_int(entry.get("renderQueue"), 0)

    def texture(key: str, known: int | None) -> int | None:
        index = as_int(maps.get(key), -1 if known is None else known)
        return index if index >= 0 else None

    return replace(
        material,
        base_colour=(r, g, b, a),
        base_texture=texture("_MainTex", material.base_texture),
        normal_texture=texture("_BumpMap", material.normal_texture),
        normal_scale=as_number(floats.get("_BumpScale"), material.normal_scale),
        emissive=(er, eg, eb),
        emissive_texture=texture("_EmissionMap", material.emissive_texture),
        alpha=alphas[mode] if 0 <= mode < 4 else material.alpha,
        cutoff=as_number(floats.get("_Cutoff"), 0.5),
        double_sided=round(as_number(floats.get("_CullMode"), 2.0)) == 0,
        depth_write=mode == 3,
        unlit=False,
        toon=Toon((sr, sg, sb), *_edge0(floats)),
        order=queue,
    )


def _edge0(floats: dict[str, Any]) -> tuple[float, float]:
    """Shift and toony as VRM 1.0 means them. Unity's shader goes from dark to light between `_ShadeShift` and a place
    between 1 and that, as `_ShadeToony` says; VRM 1.0's between -1 + toony and 1 - toony around -shift."""
    low = min(max(as_number(floats.get("_ShadeShift"), 0.0), -1.0), 1.0)
    high = 1.0 + (low - 1.0) * min(max(as_number(floats.get("_ShadeToony"), 0.9), 0.0), 1.0)
    return -(low + high) / 2.0, min(max(1.0 - (high - low) / 2.0, 0.0), 1.0)


def _linear(c: float) -> float:
    return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
