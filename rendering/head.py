"""The head as vispy gloo programs: static buffers, and per frame only positions and normals go to the card."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vispy import gloo

from models.face_model import FaceModel
from rendering.colour import linear
from rendering.lighting import light_uniforms
from rendering.mesh import DYNAMIC_TYPE, HeadMesh, head_mesh
from rendering.paint import encode_srgb, eye_texture, skin_albedo, strand_texture
from rendering.program import CUT, Program, blend_softly
from rendering.projection import HeadView
from rendering.scene import HairStyle, Scene, View
from rendering.shaders import shader

__all__ = ["EyePose", "HeadVisual"]

Floats = NDArray[np.float32]
Texture = NDArray[np.uint8]

CLAY = (0.30, 0.275, 0.255)
WIRE_FILL = (0.12, 0.14, 0.17)
WIRE_LINE = (0.10, 0.62, 0.95)
TEETH = (0.86, 0.80, 0.70)
TONGUE = (0.44, 0.145, 0.135)
CLAY_EYE = (0.5, 0.5, 0.5)
IRIS_RADIUS = 0.0059
"""Metres: half of the mean visible iris diameter of 11.8 mm, which hardly differs between people."""


def iris_share(eye_radius: float) -> float:
    """The iris' radius as a share of the eyeball's, of an eyeball's radius in metres."""
    return float(np.clip(IRIS_RADIUS / max(eye_radius, 1e-6), 0.2, 0.6))


@dataclass(frozen=True, slots=True)
class EyePose:
    """Where one eye looks.

    Attributes:
        turn: (3, 3) rotation of the eyeball in the head frame.
        centre: (3,) metres, head frame.
    """

    turn: NDArray[np.float64]
    centre: NDArray[np.floating]


class HeadVisual:
    """Draws one head of one model. Needs a current GL context, the same one in every call.

    Args:
        model: any back end; a model of skin alone is drawn as skin alone.
        refine: subdivide the skin once and let displacement move its vertices; see HeadMesh.
    """

    def __init__(self, model: FaceModel, *, refine: bool = False) -> None:
        self._model = model
        self.mesh = head_mesh(model, refine=refine)
        self._refined = refine
        self._points = np.zeros(len(self.mesh.static), DYNAMIC_TYPE)
        self._dynamic = gloo.VertexBuffer(self._points.copy())
        # The mesh is shared by all renderers, the hair is this one's.
        self._static = gloo.VertexBuffer(self.mesh.static.copy())
        self._hair_relief: tuple[float, ...] = ()
        self._tension = gloo.VertexBuffer(np.zeros(len(self.mesh.static), np.float32))
        self._indices = {
            name: gloo.IndexBuffer(triangles.astype(np.uint16 if len(self._points) < 65536 else np.uint32).reshape(-1))
            for name, triangles in self.mesh.parts.items()
        }
        self._corners: _Corners | None = None
        self._programs: dict[tuple[str, ...], Program] = {}
        self._iris_share = iris_share(self.mesh.eye_radius)
        self._albedo = _texture(np.zeros((2, 2, 3), np.uint8))
        self._eye = _texture(np.zeros((2, 2, 3), np.uint8))
        self._clay_eye = _texture(_clay_eye(self._iris_share))
        self._strands = _texture(strand_texture(), wrapping="repeat")
        self._gradient = _texture(np.zeros((4, 4, 3), np.float32))
        self._displacement = _texture(np.zeros((4, 4, 1), np.float32), interpolation="nearest") if refine else None
        self._painted: tuple[Any, ...] = ()
        self._own_albedo: Texture | None = None
        self._lit_texture = 0.0
        self._opening = 1.0
        self._allowance: int | None = None
        self._complete = True

    def update(self, vertices: Floats, normals: Floats) -> None:
        """Takes a posed face: (V, 3) metres and (V, 3) unit normals, head frame.

        Raises:
            ValueError: the shapes are not the model's.
        """
        self.mesh.points(vertices, normals, self._points)
        # The points are written again next frame only, after this frame's commands were flushed: no copy needed.
        self._dynamic.set_data(self._points, copy=False)
        self._opening = self.mesh.mouth_opening(vertices)
        if self._corners is not None:
            self._corners.stale = True

    def set_albedo(self, albedo: Texture | None, lit: float = 0.0) -> None:
        """Colours of the skin over the face map.

        Args:
            albedo: (S, S, 3) uint8 sRGB; None paints the skin from the scene's colours.
            lit: how much of its own light the texture carries: 0 a clean albedo, 1 a photograph that is shown as it is.
        """
        self._own_albedo = albedo
        self._lit_texture = float(np.clip(lit, 0.0, 1.0)) if albedo is not None else 0.0
        if albedo is not None:
            _fill(self._albedo, albedo)
        self._painted = ()

    def set_gradient(self, gradient: Floats, displacement: Floats | None) -> None:
        """Takes (S, S, 3) from `displacement_gradient` and the (S, S) millimetres it was made of."""
        _fill(self._gradient, gradient)
        if self._displacement is not None and displacement is not None:
            _fill(self._displacement, np.ascontiguousarray(displacement, np.float32)[..., None])

    def set_tension(self, tension: Floats) -> None:
        """Takes (V,) tension for the tension view."""
        self._tension.set_data(self.mesh.point_values(tension[:, None])[:, 0])

    def draw(
        self,
        style: View,
        scene: Scene,
        view: HeadView,
        eyes: tuple[EyePose, EyePose] | None,
        picture: gloo.Texture2D | None = None,
        backdrop: Callable[[], None] = lambda: None,
        new_programs: int | None = None,
    ) -> bool:
        """Draws the head into the current framebuffer; the caller has set the viewport and cleared.

        Args:
            style: any view but OVERLAY.
            scene: colours, light, overlay.
            view: where the head is seen.
            eyes: left and right; None leaves them looking straight ahead about the mean centres.
            picture: draws over this picture, as the scene's overlay says.
            backdrop: draws what is behind the head, at the far plane. Called once what is opaque is there, so that only
                the pixels around it are painted.
            new_programs: compile so many programs at most and leave out the parts that need more; None compiles all.
                Software drivers take some 30 ms for each.

        Returns:
            Whether every part could be drawn.
        """
        self._allowance, self._complete = new_programs, True
        self._paint(scene)
        over = ("OVER_PICTURE",) if picture is not None else ()
        common = _common(scene, view, picture)
        face_only = picture is not None and scene.overlay.face_only
        _start(scene)
        if style is View.WIREFRAME:
            backdrop()
            _start(scene)
            self._draw_wireframe(over, common, scene)
            return self._complete
        textured = style is View.TEXTURED
        hair = textured and scene.hair.visible and not face_only
        if hair:
            self._grow(scene.hair.relief)
        displaced = ("DISPLACED",) if self._refined else ()
        if textured:
            photograph = ("PHOTOGRAPH",) if self._lit_texture > 0 else ()
            defines = ("SURFACE", *over, *displaced, *photograph)
            fragment, extra = "skin.frag", ("HAIR",) if hair else ()
        else:
            tension = ("TENSION",) if style is View.TENSION else ()
            defines = ("SURFACE", *over, *displaced, *tension)
            fragment, extra = "clay.frag", ()
        skin, scalp = self._program(fragment, *defines), self._program(fragment, *defines, *extra)
        skin_values = common | {
            "u_albedo": self._albedo,
            "u_lit_texture": self._lit_texture,
            "u_gradient": self._gradient,
            "u_displacement": self._displacement,
            "u_bump": float(scene.bump),
            "u_strands": self._strands,
            "u_hair": _hair_scale(scene.hair) if hair else 0.0,
            "u_hair_colour": linear(scene.hair.colour),
            "u_clay": CLAY,
        }
        self._draw_part("skin", skin, skin_values)
        self._draw_part("scalp", scalp, skin_values)
        if "eyes" in self._indices:
            self._draw_part("eyes", self._program("eye.frag", *over), common | self._eye_values(textured, view, eyes))
        mouth = {
            "u_teeth": TEETH if textured else CLAY,
            "u_tongue": TONGUE if textured else CLAY,
            "u_depth": self.mesh.mouth_depth,
            "u_opening": self._opening,
        }
        if self._opening > 0:
            self._draw_part("throat", skin, skin_values)
        self._draw_part("mouth", self._program("mouth.frag", *over), common | mouth)
        backdrop()
        _start(scene)
        blend_softly(scene)
        self._draw_part("neck", self._program(fragment, *defines, *extra, "FADE"), skin_values)
        if textured and not face_only:
            dark = tuple(0.35 * c for c in linear(scene.hair.colour))
            blend_softly(scene, over_solid=True)
            gloo.set_state(cull_face=False)
            gloo.set_depth_mask(False)
            self._draw_part("lashes", self._program("lashes.frag"), common | {"u_lash_colour": dark})
            gloo.set_depth_mask(True)
        return self._complete

    def delete(self) -> None:
        """Frees everything on the card."""
        buffers: Iterable[Any] = (self._dynamic, self._static, self._tension, *self._indices.values())
        textures = (self._albedo, self._eye, self._clay_eye, self._strands, self._gradient, self._displacement)
        for item in (*buffers, *textures, *self._programs.values(), self._corners):
            if item is not None:
                item.delete()
        self._programs.clear()

    def _program(self, fragment: str, *defines: str) -> Program | None:
        """None where no further program may be compiled in this drawing."""
        key = (fragment, *defines)
        if key not in self._programs:
            if self._allowance is not None:
                if self._allowance < 1:
                    self._complete = False
                    return None
                self._allowance -= 1
            program = Program(shader("head.vert", *defines), shader(fragment, *defines))
            if "CORNERS" not in defines:
                buffers = [self._dynamic, self._static]
                for buffer in buffers:
                    program.set(**{name: buffer[name] for name in buffer.dtype.names})
                program.set(a_tension=self._tension)
            self._programs[key] = program
        return self._programs[key]

    def _draw_part(self, name: str, program: Program | None, values: dict[str, Any]) -> None:
        if name in self._indices and program is not None:
            program.set(**values)
            program.draw("triangles", self._indices[name])

    def _eye_values(self, textured: bool, view: HeadView, eyes: tuple[EyePose, EyePose] | None) -> dict[str, Any]:
        if eyes is None:
            joints = self._model.joints(self._model.identity())
            eyes = (EyePose(np.eye(3), joints[2]), EyePose(np.eye(3), joints[3]))
        # gloo takes matrices as GL does, column by column.
        left, right = (
            np.ascontiguousarray((view.view_from_head[:3, :3] @ eye.turn).T, np.float32).reshape(-1) for eye in eyes
        )
        return {
            "u_eye": self._eye if textured else self._clay_eye,
            "u_view_from_left": left,
            "u_view_from_right": right,
            "u_left": tuple(eyes[0].centre.tolist()),
            "u_right": tuple(eyes[1].centre.tolist()),
            "u_radius": self.mesh.eye_radius,
            "u_iris": self._iris_share,
        }

    def _draw_wireframe(self, over: tuple[str, ...], common: dict[str, Any], scene: Scene) -> None:
        if self._corners is None:
            self._corners = _Corners(self.mesh, skin_only=bool(over))
        if self._corners.skin_only != bool(over):
            self._corners.delete()
            self._corners = _Corners(self.mesh, skin_only=bool(over))
        self._corners.update(self._points)
        blend_softly(scene)
        program = self._program("clay.frag", "SURFACE", "FADE", *over, "CORNERS")
        if program is None:
            return
        program.set(**self._corners.attributes())
        program.set(**common, u_clay=WIRE_FILL, u_line=WIRE_LINE, u_gradient=self._gradient, u_bump=0.0)
        program.draw("triangles")

    def _grow(self, relief: tuple[float, ...]) -> None:
        """Sends the hair cap's height to the card where it changed."""
        if relief == self._hair_relief:
            return
        static = self.mesh.static.copy()
        if relief:
            static["a_hair"] = self.mesh.hair(self._model, relief)
        self._static.set_data(static)
        self._hair_relief = relief

    def _paint(self, scene: Scene) -> None:
        wanted = (scene.skin, scene.hair.colour, scene.iris, self._own_albedo is None)
        if wanted == self._painted:
            return
        if not self._painted or self._painted[2] != scene.iris:
            _fill(self._eye, eye_texture(scene.iris, self._iris_share))
        if self._own_albedo is None:
            _fill(self._albedo, skin_albedo(self._model, scene.skin, scene.hair.colour))
        self._painted = wanted


class _Corners:
    """Unindexed triangles with barycentrics, which lines of even width need without geometry shaders."""

    def __init__(self, mesh: HeadMesh, *, skin_only: bool) -> None:
        skin = ("skin", "scalp", "neck", "throat")
        names = [n for n in mesh.parts if n in skin or (not skin_only and n != "lashes")]
        self._index = np.concatenate([mesh.parts[n] for n in names]).reshape(-1)
        self.skin_only = skin_only
        self.stale = True
        self._dynamic = gloo.VertexBuffer(np.zeros(len(self._index), DYNAMIC_TYPE))
        self._static = gloo.VertexBuffer(mesh.static[self._index])
        self._corner = gloo.VertexBuffer(np.tile(np.eye(3, dtype=np.float32), (len(self._index) // 3, 1)))

    def update(self, points: NDArray[np.void]) -> None:
        if self.stale:
            self._dynamic.set_data(points[self._index], copy=False)
            self.stale = False

    def attributes(self) -> dict[str, Any]:
        named = {name: buffer[name] for buffer in (self._dynamic, self._static) for name in buffer.dtype.names}
        return named | {"a_corner": self._corner}

    def delete(self) -> None:
        for buffer in (self._dynamic, self._static, self._corner):
            buffer.delete()


def _start(scene: Scene) -> None:
    gloo.set_state(
        depth_test=True,
        depth_func="less",
        blend=False,
        cull_face=True,
        front_face="cw" if scene.mirror else "ccw",
    )
    gloo.set_depth_mask(True)
    gloo.set_cull_face("back")


def _common(scene: Scene, view: HeadView, picture: gloo.Texture2D | None) -> dict[str, Any]:
    """Uniforms that every program of the head shares."""
    return light_uniforms(scene) | {
        "u_view_from_head": np.ascontiguousarray(view.view_from_head.T, np.float32),
        "u_clip_from_view": np.ascontiguousarray(view.clip_from_view.T, np.float32),
        "u_cut": CUT if scene.background.keyed else 0.0,
        "u_perspective": 1.0 if view.perspective else 0.0,
        "u_picture": picture,
        "u_window": tuple(float(v) for v in view.viewport),
        "u_opacity": float(scene.overlay.opacity),
        "u_face_only": 1.0 if scene.overlay.face_only else 0.0,
        "u_mirror": -1.0 if scene.mirror else 1.0,
        "u_hair": 0.0,
    }


def _hair_scale(hair: HairStyle) -> float:
    """Metres of one unit of `a_hair`: a relief is in metres already."""
    return 1.0 if hair.relief else float(hair.thickness)


def _clay_eye(share: float) -> Texture:
    """An eyeball as sculptors mark it: the same clay, the iris' rim and the pupil cut in."""
    painted = eye_texture(CLAY_EYE, share).astype(np.float32).mean(axis=2, keepdims=True) / 255.0
    grey = np.array(CLAY) * (0.35 + 0.65 * np.clip(painted / 0.85, 0, 1))
    return encode_srgb(grey)


def _texture(data: NDArray[Any], interpolation: str = "linear", wrapping: str = "clamp_to_edge") -> gloo.Texture2D:
    floats = {3: "rgb32f", 1: "r32f"}
    kind = floats[data.shape[2]] if data.dtype == np.float32 else None
    return gloo.Texture2D(data, interpolation=interpolation, wrapping=wrapping, internalformat=kind)


def _fill(texture: gloo.Texture2D, data: NDArray[Any]) -> None:
    """Sends data, growing the texture where the size changed."""
    if texture.shape[:2] != data.shape[:2]:
        texture.resize(data.shape, internalformat=texture.internalformat)
    texture.set_data(data)
