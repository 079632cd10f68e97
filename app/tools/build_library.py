"""Builds the people that ship with Mien.

    python -m app.tools.build_library

Nobody's face: identities are drawn from the face model's own statistics, skins are painted. The files are CC0.
Deterministic but for the thumbnail, which the machine's OpenGL draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import tyro
from numpy.typing import NDArray

from app.avatar_pictures import thumbnail
from app.avatar_store import LIBRARY
from models.avatars.person_file import HairPart, PersonAvatar, PersonManifest, write_person
from models.face_model import FaceModel, load_face_model
from models.geometry.rasterise import interpolate, rasterise_uv
from models.geometry.unwrap import fill_holes
from models.synthesis.light import to_linear, to_srgb
from models.synthesis.skin import skin_texture

SIZE = 1024
LICENCE = "CC0 1.0 Universal: no rights reserved, use it for anything."
CONSENT = "Nobody is shown: shape and skin are made up."
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
SPREAD = 0.75
"""Share of the spread of real identities: nobody ships who stands out."""
MOUTH_COLOUR, SOCKET_COLOUR = (0.147, 0.024, 0.022), (0.448, 0.147, 0.119)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One person.

    Attributes:
        name: of the avatar and its file.
        seed: of shape and skin.
        tone: of the skin, 0 very light .. 1 very dark.
        hair, iris: sRGB in 0..1.
    """

    name: str
    seed: int
    tone: float
    hair: tuple[float, float, float]
    iris: tuple[float, float, float]


RECIPES = (
    Recipe("Alva", 11, 0.12, (0.46, 0.33, 0.20), (0.33, 0.44, 0.50)),
    Recipe("Kofi", 5, 0.80, (0.07, 0.055, 0.05), (0.24, 0.15, 0.10)),
    Recipe("Mei", 23, 0.33, (0.09, 0.07, 0.065), (0.29, 0.19, 0.12)),
)


def skin_of(model: FaceModel, recipe: Recipe) -> NDArray[np.uint8]:
    """(S, S, 3) uint8 sRGB: tone and unevenness painted, brows in the hair's colour."""
    raster = rasterise_uv(model.uv, model.uv_faces, SIZE, subset=model.part_faces("skin"))

    def over(name: str, blur: float = 0.0) -> NDArray[np.float32]:
        values = np.clip(interpolate(raster, model.regions[name], model.faces), 0, 1)
        return np.asarray(cv2.GaussianBlur(values, (0, 0), blur) if blur else values, np.float32)

    rng = np.random.default_rng(recipe.seed)
    painted = skin_texture(model, rng, raster, recipe.tone)
    plain = np.median(painted[over("face") > 0.9], axis=0)
    # The painter's coarse brows, beard and scalp give way to plain skin; brows follow the hair's colour.
    cover = np.clip(over("brows", 3) + over("beard", 3) + over("scalp", 3), 0, 1)[..., None]
    grain = np.exp(0.05 * cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), (0, 0), 1.5) * 3)
    texture = painted * (1 - cover) + plain * grain[..., None] * cover
    hair = to_linear(np.array([[[round(255 * c) for c in recipe.hair]]], np.uint8))[0, 0]
    strands = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), (0, 0), 3.0, sigmaY=0.8)
    brows = np.clip(over("brows", 4) * 1.5 - 0.35, 0, 1) * np.clip(0.75 + 1.6 * strands, 0.3, 1.0)
    texture = texture * (1 - 0.85 * brows[..., None]) + hair * 0.8 * 0.85 * brows[..., None]
    blush = over("nose", 8) * 0.25
    texture = texture * np.exp(-blush[..., None] * np.array([0.02, 0.25, 0.2], np.float32))
    hidden = over("hidden")[..., None]
    places = interpolate(raster, model.mean, model.faces)
    eye_x = float(np.abs(model.joints(model.identity())[2:4, 0]).mean())
    mouth = ((np.abs(places[..., 0]) < 0.4 * eye_x) | (places[..., 1] < -0.7 * eye_x))[..., None]
    texture = texture * (1 - hidden) + np.where(mouth, MOUTH_COLOUR, SOCKET_COLOUR) * hidden
    filled = fill_holes(texture.astype(np.float32), raster.covered.astype(np.float32))
    return to_srgb(np.asarray(filled, np.float32))


def person(model: FaceModel, recipe: Recipe) -> PersonAvatar:
    """One of the people."""
    rng = np.random.default_rng(recipe.seed)
    identity = np.clip(rng.normal(0, SPREAD, model.identity_count), -1.6, 1.6).astype(np.float32)
    manifest = PersonManifest(
        name=recipe.name,
        kind="synthetic",
        created=CREATED,
        licence=LICENCE,
        consent=CONSENT,
        face_model=model.name,
        identity=tuple(float(v) for v in identity),
        hair=HairPart(colour=recipe.hair),
        iris=recipe.iris,
    )
    avatar = PersonAvatar(manifest, identity, skin_of(model, recipe), np.zeros((8, 8, 3), np.uint8))
    return replace(avatar, thumbnail=thumbnail(avatar, model, 256))


def main(out: Path = LIBRARY) -> None:
    """Writes the files into `out`."""
    model = load_face_model()
    for recipe in RECIPES:
        path = out / f"{recipe.name.lower()}.mien"
        write_person(person(model, recipe), path)
        path.chmod(0o644)  # for everybody who uses the installed program
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    tyro.cli(main)
