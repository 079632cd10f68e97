"""What the window loads before it shows: a library that sneaks in here is waited for by everybody at every start."""

from __future__ import annotations

import ast
import subprocess
import sys

LATE = {"numba", "scipy", "mediapipe", "av", "vispy", "pyqtgraph", "sounddevice", "pyarrow", "torch", "openvino"}
CODE = """
import sys
import app.window.run
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_window_is_there_before_heavy_libraries() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout))
    assert "PySide6" in loaded
    assert loaded & LATE == set()


def test_what_is_done_soon_after_the_start_brings_no_heavy_libraries() -> None:
    """Loading a library in any thread makes the whole window stand still; the list of avatars is read behind it and
    the mesh is drawn into the camera's picture by it."""
    code = """
import sys
import app.window.run
from app.live.avatars import _choices
from app.views.picture_marks import mesh_edges
from models.face_model import load_face_model
print(len(_choices(())[0]), len(mesh_edges(load_face_model())))
print(sorted(sys.modules.keys() & {"scipy.spatial", "scipy.interpolate", "scipy.optimize", "torch", "openvino"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    counts, loaded = done.stdout.splitlines()
    assert min(map(int, counts.split())) > 0
    assert loaded == "[]"


def test_names_of_packages_are_there() -> None:
    """What is imported late is imported all the same."""
    import models.avatars
    import models.face_model
    import recordings
    import rendering
    import rendering.virtual_camera
    import tracking
    import tracking.fit
    import tracking.retarget
    import tracking.streams
    import tracking.streams.receivers

    for package in (
        tracking, tracking.fit, tracking.retarget, tracking.streams, tracking.streams.receivers,
        models.avatars, models.face_model, recordings, rendering, rendering.virtual_camera,
    ):  # fmt: skip
        for name in package.__all__:
            assert getattr(package, name) is not None
        assert not hasattr(package, "antlers")


def test_no_source_is_read_for_pyside() -> None:
    """PySide would keep the lines of all that is loaded after it."""
    code = """
import linecache
from app.cli.quick_start import quick_start
with quick_start():
    import PySide6.QtCore
import mailbox, wave
print(sorted(name for name in linecache.cache if name.endswith(("mailbox.py", "wave.py"))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
