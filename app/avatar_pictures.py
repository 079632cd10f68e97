"""Pictures of an avatar: its thumbnail, and a sheet to judge it by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import tan

import cv2
import numpy as np
from numpy.typing import NDArray

from app.avatar_store import AvatarEntry
from models.avatars.person_file import PersonAvatar
from models.avatars.person_identity import identity_for
from models.channels import ARKIT_CHANNELS
from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler
from models.synthesis.light import directional_light, to_linear
from models.synthesis.portrait import Eyes, Look, paint
from rendering import HairStyle, OffscreenRenderer, RenderingUnavailableError, Scene, View, Viewpoint
from rendering.projection import FRAMED_HEIGHT, PIVOT
from rendering.surface import hair_height
from tracking.types import FaceParameters, Frame, TrackedFace, TrackingState

__all__ = [
    "SHEET_EXPRESSIONS",
    "avatar_face",
    "avatar_scene",
    "avatar_sheet",
    "contact_sheet",
    "show_avatar",
    "thumbnail",
]

Image = NDArray[np.uint8]
TILE = 420
AIR = 0.007
"""Metres that are left free above the head."""
SHEET_EXPRESSIONS: tuple[tuple[str, dict[str, float]], ...] = (
    ("smile", {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5}),
    ("open", {"jawOpen": 0.55}),
    ("brows up", {"browInnerUp": 0.9, "browOuterUpLeft": 0.8, "browOuterUpRight": 0.8}),
    ("eyes shut", {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}),
    ("kiss", {"mouthPucker": 0.85}),
)


def avatar_scene(avatar: PersonAvatar, scene: Scene | None = None) -> Scene:
    """A scene with the avatar's hair and irises, otherwise as given."""
    return replace(scene or Scene(), hair=HairStyle.of(avatar.manifest.hair), iris=avatar.manifest.iris)


def show_avatar(gl: OffscreenRenderer, avatar: PersonAvatar) -> None:
    """Dresses a renderer as the avatar: texture, hair, irises; the identity comes with the faces it draws."""
    gl.set_texture(avatar.texture, lit=avatar.manifest.texture_light)
    gl.scene = avatar_scene(avatar, gl.scene)


def avatar_face(
    avatar: PersonAvatar,
    model: FaceModel,
    expression: dict[str, float] | None = None,
    displacement: NDArray[np.float32] | None = None,
) -> TrackedFace:
    """The avatar's head, looking straight ahead.

    Args:
        avatar: whose.
        model: the face model.
        expression: values of ARKit channels; the rest is 0.
        displacement: (S, S) millimetres, relief of the skin.

    Raises:
        AvatarFileError: the avatar was made for another face model.
    """
    identity = identity_for(avatar, model)
    values = np.zeros(len(ARKIT_CHANNELS), np.float32)
    for name, value in (expression or {}).items():
        values[ARKIT_CHANNELS.index(name)] = value
    gaze = np.zeros((2, 2), np.float32)
    posed = model.pose(identity, values, gaze)
    camera = Camera.from_fov(64, 48)
    return TrackedFace(
        frame=Frame(0, 0.0, 0, np.full((48, 64, 3), 40, np.uint8)),
        state=TrackingState.SEARCHING,
        confidence=0.0,
        observation=None,
        raw=None,
        parameters=FaceParameters(identity, values, np.eye(3), np.array([0.0, 0.0, 0.6]), gaze, camera),
        vertices=posed.vertices,
        normals=posed.normals,
        displacement=displacement,
        stages=(),
    )


def thumbnail(avatar: PersonAvatar, model: FaceModel, size: int) -> Image:
    """(S, S, 3) picture of the avatar at rest; painted plainly on the processor where there is no OpenGL."""
    try:
        point = Viewpoint(yaw=0.25, zoom=_zoom(avatar, model, 1.35))
        with OffscreenRenderer(model, Scene(viewpoint=point), supersample=2) as gl:
            show_avatar(gl, avatar)
            return gl.render(avatar_face(avatar, model), View.TEXTURED, (size, size))
    except RenderingUnavailableError:
        return _painted(avatar, model, size)


def _zoom(avatar: PersonAvatar, model: FaceModel, usual: float) -> float:
    """The usual one, or a smaller one where the head's top or its hair would be cut off, whichever side is seen."""
    face, hair = avatar_face(avatar, model), avatar.manifest.hair
    assert face.vertices is not None and face.normals is not None
    places = np.asarray(face.vertices, np.float64)
    if hair.visible:
        height, _ = hair_height(model, hair.relief_m)
        places = places + face.normals * (height if hair.relief_m else height * hair.thickness_m)[:, None]
    _, up, back = (places - PIVOT).T
    near = PIVOT[2] + np.hypot(places[:, 0], back)
    # As `head_view` places the camera: at zoom 1 the picture's height is FRAMED_HEIGHT in the plane of the eyes.
    need = float((up + AIR + near * tan(Viewpoint().fov / 2)).max())
    return min(usual, FRAMED_HEIGHT / 2 / need)


def _painted(avatar: PersonAvatar, model: FaceModel, size: int) -> Image:
    face = avatar_face(avatar, model)
    assert face.parameters is not None and face.vertices is not None
    posed = model.pose(face.parameters.identity, face.parameters.expression, face.parameters.gaze)
    iris = to_linear(np.array([[[round(c * 255) for c in avatar.manifest.iris]]], np.uint8))[0, 0].tolist()
    look = Look(
        to_linear(avatar.texture),
        directional_light(np.array([0.4, -0.5, -0.8])),
        eyes=Eyes(iris=(iris[0], iris[1], iris[2])),
    )
    camera = Camera.from_fov(size, size, 0.42)
    return paint(model, posed, from_euler(-0.25, 0.0, 0.0), np.array([0.0, 0.01, 0.72]), camera, look).image


def avatar_sheet(avatar: PersonAvatar, model: FaceModel, capture: Image | None, wrinkles: bool = True) -> Image:
    """A sheet of ten tiles to judge an avatar by, (2 x 420, 5 x 420, 3): the picture it came from, front, both sides
    and clay with the expression's wrinkles; then five expressions.

    Args:
        avatar: to show.
        model: the face model.
        capture: a picture of the person, None where there is none: the texture takes its place.
        wrinkles: also run the detail network, where there is one, for the clay.

    Raises:
        RenderingUnavailableError: there is no OpenGL.
        AvatarFileError: the avatar was made for another face model.
    """
    tiles = [_tile(avatar.texture if capture is None else capture)]
    zoom = _zoom(avatar, model, 1.4)
    with OffscreenRenderer(model, Scene(), supersample=2) as gl:
        show_avatar(gl, avatar)

        def shot(
            yaw: float = 0.0, view: View = View.TEXTURED, expression: dict[str, float] | None = None,
            relief: NDArray[np.float32] | None = None,
        ) -> Image:  # fmt: skip
            gl.scene = replace(gl.scene, viewpoint=Viewpoint(yaw=yaw, zoom=zoom))
            return gl.render(avatar_face(avatar, model, expression, relief), view, (TILE, TILE))

        # The picture's own wrinkles where there is one; otherwise what the network sees in the drawn head's brows.
        raised = dict(SHEET_EXPRESSIONS[2][1]) if capture is None else None
        relief = None
        if wrinkles:
            seen = (
                gl.render(avatar_face(avatar, model, raised), View.TEXTURED, (640, 640)) if capture is None else capture
            )
            relief = _relief(model, seen)
        tiles += [shot(), shot(0.7), shot(-0.7), shot(0.35, View.CLAY, raised, relief)]
        tiles += [shot(expression=dict(values)) for _, values in SHEET_EXPRESSIONS]
    rows = [np.hstack(tiles[:5]), np.hstack(tiles[5:])]
    return np.ascontiguousarray(np.vstack(rows))


def _relief(model: FaceModel, picture: Image) -> NDArray[np.float32] | None:
    """The detail network's relief of the face in a picture; None where there is no network or no face."""
    from models.engines.base import EngineError
    from models.networks.stored import WeightsError
    from tracking.detail_settings import DetailSettings
    from tracking.detailed import stage_for
    from tracking.still_frames import StillFrameTracker

    try:
        stage = stage_for(model, DetailSettings())
    except (WeightsError, EngineError):
        return None
    tracker = StillFrameTracker(model=model)
    try:
        found = tracker.process(Frame(0, 0.0, 0, picture))
        return stage.process(found).displacement if found.valid else None
    finally:
        tracker.close()


def _tile(picture: Image) -> Image:
    height, width = picture.shape[:2]
    scale = TILE / max(height, width)
    small = cv2.resize(
        picture, (max(1, round(width * scale)), max(1, round(height * scale))),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )  # fmt: skip
    tile = np.zeros((TILE, TILE, 3), np.uint8)
    top, left = (TILE - small.shape[0]) // 2, (TILE - small.shape[1]) // 2
    tile[top : top + small.shape[0], left : left + small.shape[1]] = small
    return tile


def contact_sheet(entries: Sequence[AvatarEntry]) -> Image:
    """The thumbnails of a list with their names, six in a row; (H, W, 3), one empty tile where there is none."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    side, line, columns = 160, 22, 6
    shown = [entry for entry in entries if entry.thumbnail is not None]
    rows = max(1, -(-len(shown) // columns))
    sheet = Pictures.new("RGB", (columns * side, rows * (side + line)), (24, 26, 30))
    draw = ImageDraw.Draw(sheet)
    for n, entry in enumerate(shown):
        assert entry.thumbnail is not None
        x, y = n % columns * side, n // columns * (side + line)
        sheet.paste(Pictures.fromarray(entry.thumbnail).resize((side, side)), (x, y))
        draw.text((x + 6, y + side + 5), entry.name[:24], fill=(225, 228, 232))
    return np.asarray(sheet, np.uint8)
