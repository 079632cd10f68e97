"""Running commands in the test's own process, away from the user's own files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.cli.main import main
from tests.helpers.media import write_clip
from tests.helpers.networks import write_coarse, write_detail
from tracking import open_source


@dataclass(frozen=True)
class CommandResult:
    """What a command did: exit status and what it printed."""

    status: int
    out: str
    err: str

    def sentence(self) -> str:
        """The one line on standard error; fails the test if there is another number of lines, or a traceback."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        assert lines[0].endswith("."), lines[0]
        return lines[0]


Run = Callable[..., CommandResult]


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Runs a command line in this process, with settings and calibrations in an empty folder."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MIEN_CONFIG", str(home / "settings.json"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))

    def run_command(*args: object) -> CommandResult:
        capfd.readouterr()
        try:
            status = main([str(arg) for arg in args])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        printed = capfd.readouterr()
        return CommandResult(status, printed.out, printed.err)

    return run_command


@pytest.fixture(scope="session")
def face_pictures(demo_clip: Path) -> list[NDArray[np.uint8]]:
    """The first 24 pictures of the demo clip, 400 x 300."""
    pictures = []
    with open_source(demo_clip) as source:
        for frame in source:
            pictures.append(frame.image)
            if len(pictures) == 24:
                break
    return pictures


@pytest.fixture(scope="session")
def face_clip(face_pictures: list[NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pictures of a face, 25 a second."""
    return write_clip(tmp_path_factory.mktemp("clips") / "face.mp4", face_pictures, 25)


@pytest.fixture(scope="session")
def coarse_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tiny untrained coarse network."""
    return write_coarse(tmp_path_factory.mktemp("weights") / "coarse.safetensors")


@pytest.fixture(scope="session")
def detail_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tiny untrained detail network."""
    return write_detail(tmp_path_factory.mktemp("weights") / "detail.safetensors")
