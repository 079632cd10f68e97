"""Vertex regions of the head: from MakeHuman's own CC0 masks where it has them, from anatomy where it has not."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model.build.makehuman import DATA, HeadMesh, MakeHumanWheel

Floats = NDArray[np.float64]

# Hairline height above the eyes (metres) by azimuth about the vertical through the head (degrees from the front).
HAIRLINE_AZIMUTH = (0, 20, 40, 55, 68, 78, 88, 100, 125, 145, 180)
HAIRLINE_HEIGHT = (0.069, 0.070, 0.068, 0.055, 0.030, -0.005, 0.010, 0.010, -0.040, -0.075, -0.085)
HEAD_AXIS_DEPTH = -0.075
"""z of the vertical axis through the head, metres behind the eyes."""
# Centre line of the eyebrow: distance from the midline, height above the eyes, metres.
BROW_OUTWARD = (0.010, 0.020, 0.032, 0.044, 0.052)
BROW_HEIGHT = (0.0135, 0.0175, 0.0205, 0.0195, 0.0150)


def sampled_mask(wheel: MakeHumanWheel, mesh: HeadMesh, name: str) -> Floats:
    """(V,) a MakeHuman mask read at each skin vertex; the mean where a seam gives it several places."""
    raw = np.frombuffer(wheel.read_bytes(f"{DATA}/textures/mpfb_{name}.jpg"), np.uint8)
    image = cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError(f"the wheel's mask {name} cannot be decoded")
    skin = mesh.parts == "skin"
    corners = mesh.original_uv[skin].reshape(-1, 2)
    x, y = corners[:, 0] * image.shape[1], (1 - corners[:, 1]) * image.shape[0]
    values = cv2.remap(image, x.astype(np.float32)[None], y.astype(np.float32)[None], cv2.INTER_LINEAR)[0] / 255.0
    total, count = np.zeros(len(mesh.kept)), np.zeros(len(mesh.kept))
    np.add.at(total, mesh.triangles[skin].ravel(), values)
    np.add.at(count, mesh.triangles[skin].ravel(), 1.0)
    return np.asarray(total / np.maximum(count, 1))


def socket_mask(mesh: HeadMesh) -> Floats:
    """(V,) 1 inside the eye sockets, which have two islands of their own at the left of MakeHuman's layout."""
    skin = mesh.parts == "skin"
    inside = mesh.original_uv[skin].mean(axis=1)[:, 0] < 0.16
    weights = np.zeros(len(mesh.kept))
    weights[np.unique(mesh.triangles[skin][inside])] = 1.0
    return weights


def ramp(values: Floats, low: float, high: float) -> Floats:
    """Smooth step from 0 at `low` to 1 at `high` (which may be the smaller)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def build_regions(wheel: MakeHumanWheel, mesh: HeadMesh, vertices: Floats) -> dict[str, Floats]:
    """All regions of `schema.REGIONS`, (V,) each.

    Args:
        wheel: the data.
        mesh: the head.
        vertices: (V, 3) the mean head in the head frame, metres.
    """
    on_skin = np.zeros(len(vertices))
    on_skin[np.unique(mesh.triangles[mesh.parts == "skin"])] = 1.0
    x, y, z = np.abs(vertices[:, 0]), vertices[:, 1], vertices[:, 2]
    azimuth = np.degrees(np.arctan2(x, z - HEAD_AXIS_DEPTH))
    hidden = np.maximum((sampled_mask(wheel, mesh, "inside-mouth") > 0.5).astype(float), socket_mask(mesh))
    visible = on_skin * (1 - hidden)
    lips, ears, lids = (sampled_mask(wheel, mesh, name) * visible for name in ("lips", "ears", "eyelids"))
    above = y - np.interp(azimuth, HAIRLINE_AZIMUTH, HAIRLINE_HEIGHT)
    scalp = ramp(above, -0.004, 0.006) * visible * (1 - ears)
    neck_bones = wheel.weight_of({"neck01", "neck02", "neck03"})[mesh.kept]
    all_bones = np.maximum(wheel.weight_of(wheel.head_bones())[mesh.kept], 1e-6)
    neck = ramp(neck_bones / all_bones, 0.25, 0.75) * visible
    front = ramp(azimuth, 88, 72)
    face = visible * front * (1 - scalp) * (1 - ears) * (1 - neck)
    nose = visible * ramp(x, 0.024, 0.017) * ramp(y, 0.006, -0.006) * ramp(y, -0.056, -0.050) * ramp(z, 0.012, 0.020)
    brow_distance = np.abs(y - np.interp(x, BROW_OUTWARD, BROW_HEIGHT))
    brows = visible * front * ramp(brow_distance, 0.0065, 0.0025) * ramp(x, 0.008, 0.013) * ramp(x, 0.056, 0.048)
    forehead = face * ramp(y, 0.020, 0.032)
    low = ramp(y, -0.030, -0.052)
    beard = visible * ramp(azimuth, 92, 76) * (1 - lips) * (1 - nose) * np.maximum(
        low * ramp(x, 0.050, 0.036) * ramp(y, -0.040, -0.052) * ramp(z, -0.09, -0.06),
        ramp(azimuth, 48, 60) * ramp(y, -0.020, -0.050),
    )  # fmt: skip
    beard *= ramp(y, -0.135, -0.115)
    # The contour landmarks lie between the ears along cheeks, jaw and chin: an outer band of the face.
    outer = np.maximum(ramp(azimuth, 26, 34), ramp(y, -0.088, -0.096))
    outline = visible * outer * ramp(azimuth, 96, 88) * (1 - ears) * (1 - scalp) * ramp(y, 0.045, 0.030)
    outline *= ramp(y, -0.135, -0.120) * (1 - lids) * (1 - lips) * (1 - nose) * (1 - neck)
    return {
        "face": face, "lips": lips, "brows": brows, "beard": beard, "scalp": scalp, "ears": ears, "neck": neck,
        "hidden": np.maximum(hidden, 1 - on_skin), "outline": outline, "nose": nose, "lids": lids,
        "forehead": forehead,
    }  # fmt: skip


def uv_scale(regions: dict[str, Floats]) -> Floats:
    """(V,) wanted size in the face UV relative to true size: fine on the face, small where nobody looks."""
    scale = 0.22 + 0.78 * regions["face"]
    scale = np.maximum(scale, 0.4 * regions["ears"])
    scale += 0.25 * (regions["lids"] + regions["lips"])
    return np.asarray(np.where(regions["hidden"] > 0.5, 0.18, scale))
