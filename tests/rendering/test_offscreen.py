"""Pictures drawn by a real OpenGL without a display, looked at pixel by pixel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.face_model import FaceModel
from models.geometry.camera import Camera
from rendering import (
    Background,
    HairStyle,
    OffscreenRenderer,
    Overlay,
    RenderingUnavailableError,
    Scene,
    View,
    Viewpoint,
)
from rendering.projection import head_view
from tests.helpers.tiny_model import EYE_RADIUS, EYE_X, tiny_arrays
from tests.helpers.tracked import no_face, tracked_face

SIZE = (320, 240)
Picture = NDArray[np.uint8]


def difference(a: Picture, b: Picture) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def test_every_view_shows_the_head_and_no_two_are_alike(renderer: OffscreenRenderer, model: FaceModel) -> None:
    face = tracked_face(model, channels={"mouthSmileLeft": 1, "jawOpen": 0.5}, angles=(0.2, 0, 0))
    pictures = {view: renderer.render(face, view, SIZE) for view in View}
    for view, picture in pictures.items():
        assert picture.shape == (240, 320, 3) and picture.dtype == np.uint8
        assert picture.std() > 5, view
    views = list(View)
    for i, a in enumerate(views):
        for b in views[i + 1 :]:
            assert difference(pictures[a], pictures[b]) > 3, (a, b)


def test_same_face_same_picture(renderer: OffscreenRenderer, model: FaceModel) -> None:
    face = tracked_face(model)
    first = renderer.render(face, size=SIZE)
    renderer.render(tracked_face(model, angles=(1, 0, 0)), View.CLAY, (100, 300))
    np.testing.assert_array_equal(first, renderer.render(face, size=SIZE))


def iris_place(
    renderer: OffscreenRenderer, model: FaceModel, gaze: tuple[float, float], side: int
) -> NDArray[np.float64]:
    """Centroid of the dark iris of one eye (side 1 left, -1 right), pixels from the eyeball's middle."""
    # A black iris in even light, close up, so that dark pixels are the iris.
    renderer.scene = Scene(iris=(0.0, 0.0, 0.0), viewpoint=Viewpoint(zoom=2.5), hair=HairStyle(visible=False))
    face = tracked_face(model, gaze=(gaze, gaze))
    picture = renderer.render(face, size=(400, 400)).astype(float)
    view = head_view(face.parameters, renderer.scene, 400, 400)
    middle = view.window(np.array([[side * EYE_X, 0.0, EYE_RADIUS]]))[0]
    ys, xs = np.mgrid[:400, :400]
    # Glints are bright and lashes lie above: count the dark within the ball's disc.
    near = np.hypot(xs - middle[0], ys - middle[1]) < 30
    dark = near & (picture.max(axis=2) < 60)
    assert dark.sum() > 50
    return np.asarray([xs[dark].mean() - middle[0], ys[dark].mean() - middle[1]])


@pytest.mark.parametrize("side", [1, -1], ids=["left", "right"])
def test_eyes_look_where_the_gaze_says(renderer: OffscreenRenderer, model: FaceModel, side: int) -> None:
    straight = iris_place(renderer, model, (0.0, 0.0), side)
    left = iris_place(renderer, model, (0.4, 0.0), side)
    right = iris_place(renderer, model, (-0.4, 0.0), side)
    down = iris_place(renderer, model, (0.0, 0.35), side)
    assert left[0] > straight[0] + 5, "to the subject's left is to the picture's right"
    assert right[0] < straight[0] - 5
    assert down[1] > straight[1] + 4, "pitch > 0 looks down"


def test_texture_is_shown_where_its_uv_says(renderer: OffscreenRenderer, model: FaceModel) -> None:
    texture = np.zeros((64, 64, 3), np.uint8)
    texture[:, 32:] = (0, 0, 255)
    texture[:, :32] = (0, 255, 0)
    renderer.set_texture(texture, lit=1.0)
    renderer.scene = Scene(hair=HairStyle(visible=False))
    picture = renderer.render(tracked_face(model), size=SIZE).astype(int)
    left_cheek, right_cheek = picture[150, 190], picture[150, 130]
    assert left_cheek[2] > 150 > left_cheek[1], "the subject's left half of the map is on the picture's right"
    assert right_cheek[1] > 150 > right_cheek[2]
    with pytest.raises(ValueError, match="texture"):
        renderer.set_texture(np.zeros((4, 4), np.uint8))


def test_bump_shades_the_relief_and_only_there(renderer: OffscreenRenderer, model: FaceModel) -> None:
    ripples = np.zeros((128, 128), np.float32)
    ripples[:, 64:] = np.sin(np.arange(64) * 0.8)[None, :] * 0.8
    renderer.scene = Scene(View.CLAY)
    flat = renderer.render(tracked_face(model), size=SIZE).astype(int)
    face = tracked_face(model, displacement=ripples)
    rippled = renderer.render(face, size=SIZE).astype(int)
    changed = np.abs(rippled - flat).max(axis=2)
    assert changed[100:160, 163:195].mean() > 4, "the subject's left half"
    assert changed[100:160, 100:150].max() <= 2, "the smooth half"
    renderer.scene = Scene(View.CLAY, bump=0.0)
    np.testing.assert_array_equal(flat, renderer.render(face, size=SIZE))
    renderer.scene = Scene(View.CLAY)
    np.testing.assert_array_equal(flat, renderer.render(tracked_face(model), size=SIZE), "and it goes away again")


def test_a_ridge_is_bright_towards_the_light(renderer: OffscreenRenderer, model: FaceModel) -> None:
    across = (np.arange(128) - 63.5) / 3.0
    ridge = np.repeat((np.exp(-(across**2)) * 2.0)[None], 128, axis=0).astype(np.float32)
    renderer.scene = Scene(View.CLAY)
    flat = renderer.render(tracked_face(model), size=SIZE).astype(int)
    change = (renderer.render(tracked_face(model, displacement=ridge), size=SIZE).astype(int) - flat).sum(axis=2)
    rows = slice(135, 160)
    assert change[rows, 154:159].mean() > 4, "the key light comes from the picture's left"
    assert change[rows, 161:166].mean() < -8


def test_displacement_not_a_number_is_flat(renderer: OffscreenRenderer, model: FaceModel) -> None:
    face = tracked_face(model)
    wild = replace(face, displacement=np.full((32, 32), np.nan, np.float32))
    assert difference(renderer.render(face, View.CLAY, SIZE), renderer.render(wild, View.CLAY, SIZE)) < 0.1


def test_tension_colours(renderer: OffscreenRenderer, model: FaceModel) -> None:
    neutral = renderer.render(tracked_face(model), View.TENSION, SIZE).astype(int)
    smiling = tracked_face(model, channels={"mouthSmileLeft": 1.5})
    coloured = renderer.render(smiling, View.TENSION, SIZE).astype(int)
    spread = np.abs(coloured[..., 0] - coloured[..., 2]) - np.abs(neutral[..., 0] - neutral[..., 2])
    assert spread[:, 165:].max() > 40 and spread[:, :140].max() < 10, "colour where the skin is stretched"


def test_overlay_opacity_and_face_alone(renderer: OffscreenRenderer, model: FaceModel) -> None:
    image = np.random.default_rng(1).integers(60, 200, (240, 320, 3), dtype=np.uint8)
    face = tracked_face(model, image=image, camera=Camera.from_fov(*SIZE), angles=(1.2, 0, 0))
    renderer.scene = Scene(View.OVERLAY, overlay=Overlay(View.CLAY, 0.0))
    assert difference(renderer.render(face, size=SIZE), image) < 0.6, "nothing but the picture"
    renderer.scene = Scene(View.OVERLAY, overlay=Overlay(View.CLAY, 1.0, face_only=True))
    only_face = np.abs(renderer.render(face, size=SIZE).astype(int) - image).max(axis=2) > 10
    renderer.scene = Scene(View.OVERLAY, overlay=Overlay(View.CLAY, 1.0, face_only=False))
    whole = np.abs(renderer.render(face, size=SIZE).astype(int) - image).max(axis=2) > 10
    assert 500 < only_face.sum() < 0.75 * whole.sum()


def test_transparent_background(renderer: OffscreenRenderer, model: FaceModel) -> None:
    renderer.scene = Scene(background=Background(alpha=0.0))
    picture = renderer.render(tracked_face(model), size=SIZE, alpha=True)
    assert picture.shape == (240, 320, 4)
    assert picture[5, 5, 3] == 0 and picture[120, 160, 3] == 255


def test_hair_covers_the_scalp_when_wanted(renderer: OffscreenRenderer, model: FaceModel) -> None:
    face = tracked_face(model, angles=(0, 0.5, 0))
    renderer.scene = Scene(hair=HairStyle(colour=(0.9, 0.1, 0.9), thickness=0.01))
    dyed = renderer.render(face, size=SIZE).astype(int)
    renderer.scene = Scene(hair=HairStyle(visible=False))
    bald = renderer.render(face, size=SIZE).astype(int)
    purple = dyed[..., 2] - dyed[..., 1] > 25
    assert purple.sum() > 1500 and purple[:120].sum() > 0.9 * purple.sum()
    assert (bald[..., 2] - bald[..., 1] > 25).sum() < 50


def test_no_face_shows_background_or_picture(renderer: OffscreenRenderer, model: FaceModel) -> None:
    empty = renderer.render(no_face(), size=SIZE)
    assert np.ptp(empty[:, 100:200].astype(int), axis=1).max() < 12
    image = np.full((48, 64, 3), (10, 200, 30), np.uint8)
    shown = renderer.render(no_face(image), View.OVERLAY, (128, 96))
    assert np.abs(shown.astype(int) - (10, 200, 30)).max() <= 2


def test_sizes_change_freely_and_impossible_ones_are_refused(renderer: OffscreenRenderer, model: FaceModel) -> None:
    face = tracked_face(model)
    for size in ((1, 1), (3, 500), (641, 479), (64, 64)):
        assert renderer.render(face, size=size).shape == (size[1], size[0], 3)
    for bad in ((0, 10), (10, -1), (100000, 10)):
        with pytest.raises(ValueError, match="pixels a side"):
            renderer.render(face, size=bad)


def test_pose_not_a_number_draws_no_head_and_breaks_nothing(renderer: OffscreenRenderer, model: FaceModel) -> None:
    good = tracked_face(model)
    assert good.parameters is not None and good.vertices is not None
    lost = replace(good, parameters=replace(good.parameters, rotation=np.full((3, 3), np.nan)))
    broken = replace(good, vertices=np.full_like(good.vertices, np.nan))
    before = renderer.render(good, size=SIZE)
    for face in (lost, broken):
        renderer.render(face, size=SIZE)
    np.testing.assert_array_equal(before, renderer.render(good, size=SIZE))


def test_face_of_another_model_is_refused(renderer: OffscreenRenderer, model: FaceModel) -> None:
    face = tracked_face(model)
    assert face.vertices is not None
    with pytest.raises(ValueError, match="vertices and normals"):
        renderer.render(replace(face, vertices=face.vertices[:10]), size=SIZE)


def test_model_of_skin_alone_is_drawn() -> None:
    bare = FaceModel(tiny_arrays(16, 20, parts=("skin",)))
    bare.regions.clear()
    with OffscreenRenderer(bare) as renderer:
        for view in View:
            assert renderer.render(tracked_face(bare), view, (160, 120)).std() > 5


def test_refined_head_moves_its_outline_with_displacement(model: FaceModel) -> None:
    with OffscreenRenderer(model, Scene(View.CLAY), refine=True) as renderer:
        flat = renderer.render(tracked_face(model), size=SIZE)
        swollen = tracked_face(model, displacement=np.full((64, 64), 6.0, np.float32))
        thick = renderer.render(swollen, size=SIZE)
        background = renderer.render(no_face(), size=SIZE)
    widths = [(np.abs(p.astype(int) - background).max(axis=2) > 12)[120].sum() for p in (flat, thick)]
    assert widths[1] >= widths[0] + 6


def test_supersampling_smooths_edges(model: FaceModel, renderer: OffscreenRenderer) -> None:
    face = tracked_face(model)
    large = renderer.render(face, View.CLAY, (640, 480))
    truth = large.reshape(120, 4, 160, 4, 3).mean(axis=(1, 3))
    rough = renderer.render(face, View.CLAY, (160, 120))
    with OffscreenRenderer(model, supersample=2) as fine:
        smooth = fine.render(face, View.CLAY, (160, 120))
    assert smooth.shape == rough.shape
    assert ((smooth - truth) ** 2).mean() < 0.6 * ((rough - truth) ** 2).mean()
    with pytest.raises(ValueError, match="supersample"):
        OffscreenRenderer(model, supersample=3)


def test_many_frames_and_renderers_do_not_pile_up(model: FaceModel, renderer: OffscreenRenderer) -> None:
    resource = pytest.importorskip("resource")
    faces = [tracked_face(model, angles=(a, 0, 0), displacement=np.zeros((64, 64), np.float32)) for a in (0.0, 0.2)]

    def work() -> None:
        for i in range(60):
            renderer.render(faces[i % 2], View.TENSION if i % 3 else View.OVERLAY, (160 + i % 2, 120))
        with OffscreenRenderer(model) as other:
            other.render(faces[0], size=(64, 64))

    work()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        work()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 40_000, "kilobytes; one renderer that stays behind takes more"


@pytest.mark.parametrize("view", list(View))
def test_programs_can_be_compiled_one_by_one(model: FaceModel, view: View) -> None:
    with OffscreenRenderer(model) as fresh:
        steps = 1
        while not fresh._run(lambda: fresh._drawing(lambda: fresh.head.warm_up(view))):
            steps += 1
            assert steps < 20
        assert steps > 1 or view in (View.WIREFRAME, View.OVERLAY), "a surface has several programs"
        warm = fresh.render(tracked_face(model), view, SIZE)
    with OffscreenRenderer(model) as other:
        np.testing.assert_array_equal(warm, other.render(tracked_face(model), view, SIZE))


def test_closed_renderer_says_so(model: FaceModel) -> None:
    renderer = OffscreenRenderer(model)
    renderer.close()
    renderer.close()
    with pytest.raises(RuntimeError, match="closed"):
        renderer.render(tracked_face(model))


def test_two_renderers_do_not_disturb_each_other(model: FaceModel, renderer: OffscreenRenderer) -> None:
    face = tracked_face(model)
    alone = renderer.render(face, size=SIZE)
    with OffscreenRenderer(model, Scene(View.WIREFRAME)) as other:
        for _ in range(2):
            other.render(face, size=(100, 80))
            np.testing.assert_array_equal(renderer.render(face, size=SIZE), alone)


def test_no_opengl_is_one_clear_sentence(model: FaceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError('Could not import backend "egl":\nlibEGL.so.1: cannot open shared object file')

    monkeypatch.setattr("vispy.app.Application", refuse)
    with pytest.raises(RenderingUnavailableError) as caught:
        OffscreenRenderer(model)
    message = str(caught.value)
    assert message.startswith("There is no OpenGL to draw with") and "\n" not in message and "libegl1" in message


def test_needs_no_display_and_leaves_the_environment_alone() -> None:
    code = (
        "import os\n"
        "from rendering import OffscreenRenderer\n"
        "from tests.helpers.tiny_model import tiny_model\n"
        "from tests.helpers.tracked import tracked_face\n"
        "with OffscreenRenderer(tiny_model()) as r:\n"
        "    print(r.render(tracked_face(tiny_model()), size=(64, 48)).std() > 5, 'EGL_PLATFORM' in os.environ)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "EGL_PLATFORM")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.strip() == "True False", done.stderr


def test_any_thread_may_draw(model: FaceModel, renderer: OffscreenRenderer) -> None:
    face = tracked_face(model)
    here = renderer.render(face, size=SIZE)
    with OffscreenRenderer(model) as other, ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(r.render, face, View.TEXTURED, SIZE) for r in (renderer, other) * 6]
        for job in jobs:
            np.testing.assert_array_equal(job.result(timeout=30), here)


WINDOW = """
import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
qt = QApplication([])
from vispy import app, gloo
from rendering import GLOO_LOCK, HeadRenderer, OffscreenRenderer, View
from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import tracked_face
face = tracked_face(tiny_model(), angles=(0.3, 0, 0))
unseen = OffscreenRenderer(tiny_model())
wanted = unseen.render(face, size=(320, 240))
class Window(app.Canvas):
    head, seen = None, None
    def on_draw(self, event):
        with GLOO_LOCK:
            self.set_current()
            self.head = self.head or HeadRenderer(tiny_model())
            self.head.draw(face, self.physical_size)
            self.seen = gloo.read_pixels((0, 0, *self.physical_size))[..., :3]
window = Window(size=(320, 240), app="pyside6", keys=None, show=True)
def tick():
    unseen.render(face, View.CLAY, (100, 80))
    window.update()
timer = QTimer()
timer.timeout.connect(tick)
timer.start(30)
QTimer.singleShot(700, qt.quit)
qt.exec()
timer.stop()
print(np.abs(window.seen.astype(int) - wanted).max() <= 1, np.array_equal(unseen.render(face, size=(320, 240)), wanted))
unseen.close()
"""


@pytest.mark.skipif(not shutil.which("xvfb-run"), reason="a window needs a display; xvfb-run is not installed")
def test_window_and_offscreen_renderer_live_side_by_side() -> None:
    pytest.importorskip("PySide6")
    command = ["xvfb-run", "-a", "-s", "-screen 0 640x480x24", sys.executable, "-c", WINDOW]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "True True", done.stderr
