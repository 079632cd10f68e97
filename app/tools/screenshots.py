"""Pictures of the window in each of its main states, for looking at and for the documentation.

    xvfb-run -a -s "-screen 0 3840x2160x24" python -m app.tools.screenshots --out DIR

Settings are kept in a folder of their own; only the demo clip and the rendered head are to be seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tyro
from pydantic import BaseModel, ConfigDict, Field

STATES = (
    "first_run",
    "tracking",
    "plots",
    "lost",
    "start",
    "settings",
    "settings_tracking",
    "keys",
    "calibration",
    "task",
    "error",
    "overlay",
    "record",
    "player",
    "export",
    "outputs",
    "capture",
)
SIZES = {"1280x800": (1280, 800, 1.0), "1920x1080": (1920, 1080, 1.0), "1920x1080@2": (1920, 1080, 2.0)}


class Options(BaseModel):
    """Render the window's states."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path
    """Folder for the pictures."""
    sizes: tuple[str, ...] = tuple(SIZES)
    """Of the window."""
    themes: tuple[str, ...] = ("dark", "light")
    states: tuple[str, ...] = STATES
    text_scale: int = Field(default=100, ge=80, le=200)
    one: bool = False
    """Render in this process: one size, for the tool itself."""


def main() -> None:
    """Each size in a process of its own, since a scale holds for a whole process."""
    options = tyro.cli(Options)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.one:
        _render(options)
        return
    for size in options.sizes:
        environment = os.environ | {"QT_SCALE_FACTOR": str(SIZES[size][2])}
        args = ["--out", str(options.out), "--one", "--sizes", size, "--text-scale", str(options.text_scale)]
        args += ["--themes", *options.themes, "--states", *options.states]
        subprocess.run([sys.executable, "-m", "app.tools.screenshots", *args], check=True, env=environment)


def _render(options: Options) -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"MIEN_CONFIG": f"{home}/settings.json", "XDG_DATA_HOME": home, "XDG_STATE_HOME": home}
        from app.tools.window_states import Stager

        width, height, scale = SIZES[options.sizes[0]]
        stager = Stager((round(width / scale), round(height / scale)), options.text_scale)
        try:
            for state in options.states:
                for theme in options.themes:
                    picture = stager.picture(state, theme)
                    picture.save(str(options.out / f"{state}_{theme}_{options.sizes[0]}.png"))
                    print(f"{state} {theme} {options.sizes[0]}: {picture.width()} x {picture.height()}")
        finally:
            stager.close()


def wait(process: Callable[[], None], condition: Callable[[], bool], seconds: float) -> None:
    """Let the event loop run until a condition holds, or for so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not condition():
        process()
        time.sleep(0.005)


if __name__ == "__main__":
    main()
