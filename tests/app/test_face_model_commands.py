"""`face-model`: facts, pictures, conversions."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tests.app.conftest import Run


def test_info(run: Run) -> None:
    result = run("face-model", "info")
    assert result.status == 0
    for words in ("vertices", "identity", "52 ARKit channels", "SHA-256", "skin"):
        assert words in result.out


def test_info_of_something_else(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"x" * 100)
    for name in ("a.safetensors", "missing.safetensors"):
        result = run("face-model", "info", tmp_path / name)
        assert result.status == 2 and name in result.sentence()


@pytest.mark.slow
def test_sheet(run: Run, tmp_path: Path) -> None:
    result = run("face-model", "sheet", "--out", tmp_path, "--identities", "4")
    assert result.status == 0
    for name in ("identities.png", "expressions.png"):
        picture = cv2.imread(str(tmp_path / name))
        assert picture is not None and picture.std() > 5


@pytest.mark.parametrize("command", ["convert-flame", "convert-ict"])
def test_conversions_refuse_what_is_no_model(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.pkl").write_bytes(b"no pickle")
    source = tmp_path / ("file.pkl" if command == "convert-flame" else "folder")
    result = run("face-model", command, source, "--out", tmp_path / "out.safetensors")
    assert result.status == 2
    assert source.name in result.sentence()
    wrong = run("face-model", command, source, "--out", tmp_path / "out.pkl")
    assert wrong.status == 2 and ".safetensors" in wrong.sentence()
