"""Contact sheets of a face model: what its identities look like and what each expression moves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, CHANNEL_INDEX, GAZE_CHANNELS, channels_to_gaze
from models.face_model.model import FaceModel
from models.geometry.camera import Camera
from models.geometry.rasterise import interpolate, rasterise_uv
from models.geometry.rotations import from_euler
from models.synthesis.light import directional_light
from models.synthesis.portrait import Look, paint
from models.synthesis.skin import skin_texture

Image = NDArray[np.uint8]
TILE = (240, 280)
TEXTURE = 512
MOVED_FULL = 0.004
"""Metres of movement drawn in the strongest red."""


def _tile(
    model: FaceModel,
    identity: NDArray[np.float32],
    expression: NDArray[np.float32],
    texture: NDArray[np.float32],
    yaw: float,
    moved: bool,
) -> Image:
    width, height = TILE
    camera = Camera.from_fov(width * 2, height * 2, 0.42)
    posed = model.pose(identity, expression, gaze=channels_to_gaze(expression))
    rotation, place = from_euler(yaw, 0.0, 0.0), np.array([0.0, -0.018, 0.62])
    light = directional_light(np.array([-0.5, -0.7, -1.0]), 0.75, 0.4)
    picture = paint(model, posed, rotation, place, camera, Look(texture, light, np.array([236, 238, 240], np.uint8)))
    image = picture.image
    if moved:
        distance = np.linalg.norm(posed.vertices - posed.neutral, axis=1).astype(np.float32)
        heat = np.clip(interpolate(picture.raster, distance, model.faces) / MOVED_FULL, 0, 1)[:, :, None] * 0.65
        image = (image * (1 - heat) + np.array([255, 40, 0]) * heat).astype(np.uint8)
    return np.asarray(cv2.resize(image, TILE, interpolation=cv2.INTER_AREA), np.uint8)


def _grid(tiles: list[Image], columns: int) -> Image:
    blank = np.full_like(tiles[0], 236)
    tiles = tiles + [blank] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def identity_sheet(model: FaceModel, count: int = 12, seed: int = 5) -> Image:
    """(H, W, 3) uint8 RGB: `count` random people, each from the front and turned by 40 degrees."""
    rng = np.random.default_rng(seed)
    skin = model.part_faces("skin")
    raster = rasterise_uv(model.uv, model.uv_faces, TEXTURE, subset=skin)
    tiles = []
    for _ in range(count):
        identity = rng.normal(0, 1, model.identity_count).astype(np.float32)
        texture = skin_texture(model, rng, raster)
        neutral = np.zeros(CHANNEL_COUNT, np.float32)
        tiles += [_tile(model, identity, neutral, texture, yaw, moved=False) for yaw in (0.0, 0.7)]
    return _grid(tiles, 8)


def expression_sheet(model: FaceModel) -> Image:
    """(H, W, 3) uint8 RGB: the 52 channels at 1, named; redder skin has moved further (full red at 4 mm).

    mouthClose is a corrective and is shown with jawOpen; eyeLook* turns the eyes as well.
    """
    raster = rasterise_uv(model.uv, model.uv_faces, TEXTURE, subset=model.part_faces("skin"))
    texture = skin_texture(model, np.random.default_rng(1), raster, tone=0.25)
    identity = model.identity()
    tiles = []
    for index, name in enumerate(ARKIT_CHANNELS):
        expression = np.zeros(CHANNEL_COUNT, np.float32)
        expression[index] = 1.0
        if name == "mouthClose":
            expression[CHANNEL_INDEX["jawOpen"]] = 1.0
        tile = _tile(model, identity, expression, texture, 0.0 if index not in GAZE_CHANNELS else 0.15, moved=True)
        cv2.putText(tile, name, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
        tiles.append(tile)
    return _grid(tiles, 9)
