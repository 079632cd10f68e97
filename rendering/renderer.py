"""Draws a tracked face into whatever framebuffer is current: a window's, or the off-screen renderer's."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from threading import RLock

import numpy as np
from numpy.typing import NDArray
from vispy import gloo

from models.channels import CHANNEL_COUNT
from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler
from models.geometry.tension import Tension
from rendering.backdrop import Backdrop
from rendering.bump import displacement_gradient
from rendering.head import CLAY_EYE, EyePose, HeadVisual, iris_share
from rendering.mesh import head_mesh
from rendering.paint import encode_srgb, eye_texture, strand_texture
from rendering.program import Program
from rendering.projection import HeadView, fitted_viewport, head_view
from rendering.scene import Background, Scene, View
from rendering.shaders import shader
from tracking.types import FaceParameters, Frame, TrackedFace, TrackingState

__all__ = ["GLOO_LOCK", "HeadRenderer", "prepare_drawing", "rest_face"]

GLOO_LOCK = RLock()
"""vispy keeps one current canvas for the whole process, whatever the thread. Whoever makes a canvas current and draws
through gloo holds this lock from before `set_current` until the drawing is done."""

PHOTOGRAPH_LIGHT = 0.75
"""How much of its own light a texture from a camera is taken to carry: the rest lets the form shade it."""


def prepare_drawing(model: FaceModel) -> None:
    """Computes, on whatever thread, all that a `HeadRenderer` of this model remembers and needs no OpenGL for: about a
    second that a window's thread need not spend."""
    scene = Scene()
    mesh = head_mesh(model, refine=False)
    share = iris_share(mesh.eye_radius)
    eye_texture(scene.iris, share)
    eye_texture(CLAY_EYE, share)
    strand_texture()
    face = rest_face(model)
    if face.vertices is not None:
        # Loads the compiled function.
        Tension(model.faces, model.vertex_count, model.regions.get("hidden"))(face.vertices, face.vertices)


@lru_cache(maxsize=2)
def rest_face(model: FaceModel) -> TrackedFace:
    """The model's mean head at rest, looking straight ahead: what is shown where nobody is tracked."""
    camera = Camera.from_fov(64, 48)
    identity, gaze = model.identity(), np.zeros((2, 2), np.float32)
    expression = np.zeros(CHANNEL_COUNT, np.float32)
    posed = model.pose(identity, expression, gaze)
    parameters = FaceParameters(identity, expression, np.eye(3), np.array([0.0, 0.0, 0.6]), gaze, camera)
    return TrackedFace(
        frame=Frame(0, 0.0, 0, np.full((48, 64, 3), 40, np.uint8)),
        state=TrackingState.SEARCHING,
        confidence=0.0,
        observation=None,
        raw=None,
        parameters=parameters,
        vertices=posed.vertices,
        normals=posed.normals,
        displacement=None,
        stages=(),
    )


class HeadRenderer:
    """Draws one model's head.

    All methods need the same GL context to be current (and GLOO_LOCK where several threads draw). In a window: create
    it in the canvas' initialize event, call `draw` in its draw event with the canvas' physical size.

    Args:
        model: any back end.
        scene: what to show; may be replaced at any time.
        refine: subdivide the skin once, so that displacement moves the outline too; for machines with a GPU.
    """

    def __init__(self, model: FaceModel, scene: Scene | None = None, *, refine: bool = False) -> None:
        self.scene = scene or Scene()
        self._model = model
        self._head = HeadVisual(model, refine=refine)
        self._tension = Tension(model.faces, model.vertex_count, model.regions.get("hidden"))
        self._backdrop = Backdrop()
        self._picture_program: Program | None = None
        self._quad = gloo.VertexBuffer(np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32))
        self._picture: gloo.Texture2D | None = None
        self._displacement: NDArray[np.float32] | None = None
        self._gradient: NDArray[np.float32] | None = None
        self._joints: tuple[bytes, NDArray[np.float32]] | None = None
        self.set_albedo(None)

    def set_texture(self, texture: NDArray[np.uint8] | None, *, lit: float = PHOTOGRAPH_LIGHT) -> None:
        """Shows a texture of one's own on the skin in the textured view.

        Args:
            texture: (S, S, 3) uint8 sRGB over the face map; None goes back to the albedo.
            lit: how much of its own light it carries: 0 a clean albedo, 1 a photograph that is shown as it is.

        Raises:
            ValueError: not such a picture.
        """
        if texture is not None and (texture.ndim != 3 or texture.shape[2] != 3 or texture.dtype != np.uint8):
            raise ValueError(f"a texture (S, S, 3) of uint8 is needed, not {texture.shape} of {texture.dtype}")
        if texture is None and self._model.albedo_mean is not None:
            self.set_albedo(None)
            return
        self._head.set_albedo(None if texture is None else np.ascontiguousarray(texture), lit)

    def set_albedo(self, coefficients: NDArray[np.floating] | None) -> None:
        """Colours the skin with the model's own albedo basis.

        Args:
            coefficients: (<= A,) in standard deviations; None takes the mean. A model without albedo is painted.

        Raises:
            ValueError: more coefficients than the model has.
        """
        basis = self._model.albedo_basis
        count = 0 if basis is None else len(basis)
        if coefficients is not None and len(coefficients) > count and self._model.albedo_mean is not None:
            raise ValueError(f"{self._model.name} has {count} albedo coefficients, not {len(coefficients)}")
        light = self._model.albedo(coefficients)
        if light is None:
            self._head.set_albedo(None)
            return
        self._head.set_albedo(encode_srgb(light))

    def warm_up(self, view: View) -> bool:
        """Compiles at most one program that a view needs, so that a window can get all of them ready between two events
        instead of stopping for a quarter of a second when the view is first drawn.

        Spoils what is in the framebuffer.

        Returns:
            Whether all of the view's programs are there; until then call it again.
        """
        shown = self.scene
        try:
            self.scene = replace(shown, view=view)
            return self.draw(rest_face(self._model), (16, 16), new_programs=1)
        finally:
            self.scene = shown

    def draw(self, tracked: TrackedFace, size: tuple[int, int], *, new_programs: int | None = None) -> bool:
        """Draws the background and, where there is a face, the head.

        Args:
            tracked: the face; its picture is shown in the overlay view, and blurred in a background of it. Without
                vertices only the background is drawn.
            size: width and height of the framebuffer in physical pixels.
            new_programs: see `HeadVisual.draw`.

        Returns:
            Whether everything could be drawn; always True without `new_programs`.

        Raises:
            ValueError: a size without pixels, or a face of another model.
        """
        width, height = int(size[0]), int(size[1])
        if width < 1 or height < 1:
            raise ValueError(f"a picture needs at least one pixel, not {width} x {height}")
        scene = self.scene
        view = head_view(tracked.parameters, scene, width, height)
        gloo.set_viewport(0, 0, width, height)
        gloo.set_depth_mask(True)
        gloo.set_state(depth_test=False, blend=False, cull_face=False)
        overlay = scene.view is View.OVERLAY
        # Beside the camera's picture there are bars.
        background = Background.plain((0.0, 0.0, 0.0)) if overlay else scene.background
        self._backdrop.clear(background)
        if overlay:
            if tracked.parameters is None:
                view = _picture_only(tracked, view, width, height)
            self._send_picture(tracked)
        gloo.set_viewport(*view.viewport)

        def backdrop() -> None:
            gloo.set_state(depth_test=True, depth_func="lequal", blend=False, cull_face=False)
            if overlay:
                self._draw_picture(scene)
            else:
                # Over the whole framebuffer, also where a camera's picture does not fill it.
                gloo.set_viewport(0, 0, width, height)
                self._backdrop.draw(background, width, height, tracked.frame.image, mirror=scene.mirror)
                gloo.set_viewport(*view.viewport)

        def finish() -> None:
            gloo.set_viewport(0, 0, width, height)
            self._backdrop.finish(background)

        if tracked.vertices is None or tracked.normals is None or not np.isfinite(view.view_from_head).all():
            backdrop()
            finish()
            return True
        self._head.update(tracked.vertices, tracked.normals)
        self._take_displacement(tracked)
        style = scene.overlay.style if overlay else scene.view
        if style is View.TENSION:
            identity = self._model.identity(None if tracked.parameters is None else tracked.parameters.identity)
            self._head.set_tension(self._tension(self._model.neutral(identity), tracked.vertices))
        eyes = self._eyes(tracked.parameters)
        shown = scene if background is scene.background else replace(scene, background=background)
        done = self._head.draw(style, shown, view, eyes, self._picture if overlay else None, backdrop, new_programs)
        finish()
        return done

    def delete(self) -> None:
        """Frees everything on the card."""
        self._head.delete()
        for item in (self._backdrop, self._picture_program, self._quad, self._picture):
            if item is not None:
                item.delete()

    def _eyes(self, parameters: FaceParameters | None) -> tuple[EyePose, EyePose] | None:
        if parameters is None:
            return None
        key = parameters.identity.tobytes()
        if self._joints is None or self._joints[0] != key:
            self._joints = key, self._model.joints(parameters.identity)
        joints = self._joints[1]
        left, right = (
            EyePose(from_euler(float(parameters.gaze[eye, 0]), float(parameters.gaze[eye, 1]), 0.0), joints[2 + eye])
            for eye in range(2)
        )
        return left, right

    def _take_displacement(self, tracked: TrackedFace) -> None:
        displacement = tracked.displacement
        if displacement is self._displacement:
            return
        self._displacement = displacement
        flat = np.zeros((4, 4), np.float32)
        heights = flat if displacement is None else displacement
        self._gradient = displacement_gradient(heights, out=self._gradient)
        self._head.set_gradient(self._gradient, heights)

    def _send_picture(self, tracked: TrackedFace) -> None:
        image = np.ascontiguousarray(tracked.frame.image)
        if self._picture is None:
            self._picture = gloo.Texture2D(image, interpolation="linear", wrapping="clamp_to_edge")
        else:
            if self._picture.shape != image.shape:
                self._picture.resize(image.shape)
            self._picture.set_data(image)

    def _draw_picture(self, scene: Scene) -> None:
        if self._picture_program is None:
            self._picture_program = Program(shader("backdrop.vert", "PICTURE"), shader("backdrop.frag", "PICTURE"))
            self._picture_program.set(a_corner=self._quad)
        self._picture_program.set(u_picture=self._picture, u_part=(-1.0 if scene.mirror else 1.0, 1.0))
        self._picture_program.draw("triangle_strip")


def _picture_only(tracked: TrackedFace, view: HeadView, width: int, height: int) -> HeadView:
    """The view of a frame without a face: its picture fitted into the window."""
    rows, columns = tracked.frame.image.shape[:2]
    viewport = fitted_viewport(Camera(columns, rows, 1.0), width, height)
    return HeadView(view.view_from_head, view.clip_from_view, viewport, view.perspective)
