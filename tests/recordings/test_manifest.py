"""`session.json` of recordings: older versions are read, damaged ones refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recordings import read_manifest
from recordings.manifest import SessionFileError
from tests.helpers.studio import Studio, finish

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


def test_old_manifests_are_read(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s")
    finish(studio)
    path = tmp_path / "s" / "session.json"
    old = json.loads(path.read_text())
    for part in ("audio", "records", "takes", "timecode", "lost", "recovery"):
        del old[part]
    for key in ("camera_picture", "codec"):
        del old["media"][key]
    path.write_text(json.dumps(old | {"schema_version": 1}))
    manifest = read_manifest(tmp_path / "s")
    assert manifest.schema_version == 2 and not manifest.records.present and not manifest.audio.present


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "C:\\x", "a/b", ""])
def test_manifests_that_point_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    studio = Studio(tmp_path / "s")
    finish(studio)
    path = tmp_path / "s" / "session.json"
    content = json.loads(path.read_text())
    content["records"]["file"] = name
    path.write_text(json.dumps(content))
    with pytest.raises(SessionFileError, match="damaged"):
        read_manifest(tmp_path / "s")
