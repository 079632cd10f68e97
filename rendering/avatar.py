"""Draws a third-party avatar into whatever framebuffer is current, as `HeadRenderer` draws the program's own head."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vispy import gloo
from vispy.gloo import gl

from models.avatars import Avatar, AvatarTexture
from rendering.avatar_mesh import AvatarMeshes
from rendering.avatar_pose import AvatarFrame, AvatarPose, avatar_view
from rendering.backdrop import Backdrop
from rendering.head import CLAY
from rendering.lighting import light_uniforms
from rendering.program import CUT, Program, blend_softly
from rendering.projection import HeadView
from rendering.scene import CameraMode, Scene, View
from rendering.shaders import shader
from tracking.retarget import Driven, RetargetSettings

__all__ = ["AvatarRenderer"]

TEXTURES_S = 0.015
"""Seconds of one drawing after which no further texture is sent, where that is done gradually."""
SOLID = 0.96
"""Alpha from which a pixel of a BLEND material hides what is behind it."""


class AvatarRenderer:
    """Draws one avatar.

    All methods need the same GL context to be current (and GLOO_LOCK where several threads draw).

    Args:
        avatar: from `load_avatar`.
        scene: background, light, viewpoint and mirroring; the view CLAY draws in one grey, all others with the avatar's
            own materials. May be replaced at any time.
        settings: its gains of single expressions; everything else of retargeting is done by `Retargeter`.
        gradual: send a few textures with each drawing instead of all with the first, so that a window does not stop
            for them; a part whose texture is missing is drawn plain until then.

    Attributes:
        frame: where its head is.
        meshes: its vertices and which expressions are driven.
    """

    def __init__(
        self,
        avatar: Avatar,
        scene: Scene | None = None,
        settings: RetargetSettings | None = None,
        *,
        gradual: bool = False,
    ) -> None:
        self.scene = scene or Scene()
        self.avatar = avatar
        self._pose = AvatarPose(avatar)
        gains = None if settings is None else settings.expressions
        self.meshes = AvatarMeshes(avatar, eyes_turn=self._pose.eyes_turn, gains=gains)
        rest = self.meshes.pose(np.zeros(52, np.float32), self._pose.rest_palette())
        self.frame = AvatarFrame.of(avatar, self._pose, rest["a_position"], self.meshes.heaviest)
        self._pose.set_pivot(self.frame.centre)
        self._matrices = self._pose.rest_palette()
        self._points = gloo.VertexBuffer(rest.copy())
        self._uv, self._uv_more = gloo.VertexBuffer(self.meshes.uv), gloo.VertexBuffer(self.meshes.uv_more)
        kind = np.uint16 if len(rest) < 65536 else np.uint32
        self._indices = [gloo.IndexBuffer(triangles.astype(kind).reshape(-1)) for _, triangles in self.meshes.parts]
        self._index_type = kind
        self._looks = [avatar.materials[material] for material, _ in self.meshes.parts]
        self._textures: list[gloo.Texture2D | None] = [None] * len(avatar.textures)
        self._gradual = gradual
        self._programs: dict[tuple[str, ...], Program] = {}
        self._backdrop = Backdrop()

    def take(self, settings: RetargetSettings) -> None:
        """Other gains of single expressions."""
        self.meshes.set_gains(settings.expressions)

    def draw(self, driven: Driven, size: tuple[int, int], picture: NDArray[np.uint8] | None = None) -> None:
        """Draws the background and the avatar.

        Args:
            driven: from `Retargeter.apply`.
            size: width and height of the framebuffer in physical pixels.
            picture: (H, W, 3) what the camera sees, for a background of it.

        Raises:
            ValueError: a size without pixels.
        """
        width, height = int(size[0]), int(size[1])
        if width < 1 or height < 1:
            raise ValueError(f"a picture needs at least one pixel, not {width} x {height}")
        scene = self.scene
        turn_head = scene.viewpoint.mode is not CameraMode.LOCKED
        palette = self._pose.palette(driven, turn_head=turn_head, out=self._matrices)
        points = self.meshes.pose(driven.values, palette, driven.own)
        # Written again next frame only, after this frame's commands were flushed: no copy needed.
        self._points.set_data(points, copy=False)
        view = avatar_view(self.frame, scene, driven, width, height)
        common = _common(scene, view)
        gloo.set_viewport(0, 0, width, height)
        gloo.set_depth_mask(True)
        gloo.set_state(depth_test=False, blend=False, cull_face=False)
        self._backdrop.clear(scene.background)
        shown = self._send_triangles(view)
        self._send_textures(shown)
        for part in shown:
            if self._looks[part].alpha != "BLEND":
                self._draw_part(part, common, "CUT" if self._looks[part].alpha == "MASK" else "")
        self._backdrop.draw(scene.background, width, height, picture, mirror=scene.mirror)
        cutoff = CUT if scene.background.keyed else SOLID
        for part in sorted(shown, key=lambda i: self._looks[i].order):
            if self._looks[part].alpha == "BLEND":
                # What hardly lets light through is drawn like a solid first: strands of hair then hide those behind.
                self._draw_part(part, common, "CUT", cutoff=cutoff)
                self._draw_part(part, common, "SEEN_THROUGH")
        self._backdrop.finish(scene.background)

    def _send_triangles(self, view: HeadView) -> list[int]:
        """Sends the triangles that can be seen; gives the parts that have any."""
        self.meshes.project(view.clip_from_view @ view.view_from_head)
        shown = []
        for part, look in enumerate(self._looks):
            front = 0.0 if look.double_sided else -1.0 if self.scene.mirror else 1.0
            corners = self.meshes.seen(part, front)
            if len(corners):
                self._indices[part].set_data(corners.astype(self._index_type))
                shown.append(part)
        return shown

    def _send_textures(self, parts: list[int]) -> None:
        until = time.perf_counter() + TEXTURES_S
        for look in (self._looks[part] for part in parts):
            for index in (look.base_texture, look.normal_texture, look.emissive_texture):
                if index is not None and self._textures[index] is None:
                    self._textures[index] = _texture(self.avatar.textures[index])
                    if self._gradual and time.perf_counter() > until:
                        return

    def _sent(self, index: int | None) -> gloo.Texture2D | None:
        return None if index is None else self._textures[index]

    def delete(self) -> None:
        """Frees everything on the card."""
        items = (self._points, self._uv, self._uv_more, self._backdrop)
        for item in (*items, *self._indices, *self._textures, *self._programs.values()):
            if item is not None:
                item.delete()
        self._programs.clear()

    def _draw_part(self, part: int, common: dict[str, Any], mode: str, cutoff: float | None = None) -> None:
        look, scene = self._looks[part], self.scene
        clay = scene.view is View.CLAY
        defines = [mode] if mode else []
        values: dict[str, Any] = dict(common)
        roughness = 0.8 if clay else look.roughness
        # Blinn's exponent for a roughness; the energy of a highlight falls with its width.
        sharp = 2.0 / max(roughness**4, 0.002) - 2.0
        values |= {
            "u_base": (*CLAY, look.base_colour[3]) if clay else look.base_colour,
            "u_cutoff": look.cutoff if cutoff is None else cutoff,
            "u_emissive": (0.0, 0.0, 0.0) if clay else look.emissive,
            "u_roughness": roughness,
            "u_gloss": (max(sharp, 1.0), (sharp + 8.0) * 0.03),
            "u_metallic": 0.0 if clay else look.metallic,
        }
        # A grey avatar still needs its texture where that says what is cut out.
        base, normal, glow = (
            self._sent(index) for index in (look.base_texture, look.normal_texture, look.emissive_texture)
        )
        if base is not None and not (clay and not mode):
            defines.append("BASE_MAP")
            values["u_base_map"] = base
        if normal is not None:
            defines.append("NORMAL_MAP")
            values |= {"u_normal_map": normal, "u_normal_scale": look.normal_scale}
        if glow is not None and max(look.emissive) > 0 and not clay:
            defines.append("EMISSIVE_MAP")
            values["u_emissive_map"] = glow
        if normal is not None or glow is not None:
            defines.append("MORE_UV")
        if look.toon is not None and not clay:
            defines.append("TOON")
            middle, half = -look.toon.shift, max(1.0 - look.toon.toony, 0.0)
            values |= {"u_shade": look.toon.shade, "u_ramp": (middle - half, middle + half)}
        elif clay or not look.unlit:
            defines.append("LIT")
        gloo.set_state(
            depth_test=True,
            depth_func="less",
            cull_face=not look.double_sided,
            front_face="cw" if scene.mirror else "ccw",
            blend=False,
        )
        if mode == "SEEN_THROUGH":
            blend_softly(scene, over_solid=True)
        gloo.set_cull_face("back")
        gloo.set_depth_mask(mode != "SEEN_THROUGH" or look.depth_write)
        program = self._program(*defines)
        program.set(**values)
        program.draw("triangles", self._indices[part])
        gloo.set_depth_mask(True)

    def _program(self, *defines: str) -> Program:
        if defines not in self._programs:
            program = Program(shader("avatar.vert", *defines), shader("avatar.frag", *defines))
            program.set(a_position=self._points["a_position"], a_normal=self._points["a_normal"])
            program.set(a_uv=self._uv, a_uv_more=self._uv_more)
            self._programs[defines] = program
        return self._programs[defines]


def _common(scene: Scene, view: HeadView) -> dict[str, Any]:
    """Uniforms that all of an avatar's programs share; gloo takes matrices column by column."""
    return light_uniforms(scene) | {
        "u_view_from_avatar": np.ascontiguousarray(view.view_from_head.T, np.float32),
        "u_clip_from_view": np.ascontiguousarray(view.clip_from_view.T, np.float32),
        "u_perspective": 1.0,
    }


def _texture(texture: AvatarTexture) -> gloo.Texture2D:
    """On the card, with smaller copies of itself: without them, hair drawn small flickers."""
    item = gloo.Texture2D(texture.pixels, interpolation="linear", wrapping=texture.wrap)
    context = gloo.get_current_canvas().context
    # gloo makes a texture when it is first drawn; its smaller copies have to be asked for after that.
    context.glir.associate(item.glir)
    context.flush_commands()
    context.shared.parser.get_object(item.id).activate()
    gl.glGenerateMipmap(gl.GL_TEXTURE_2D)
    gl.glTexParameterf(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MIN_FILTER, gl.GL_LINEAR_MIPMAP_NEAREST)
    return item
