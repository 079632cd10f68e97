"""What cannot be exported is said in one sentence, and nothing half-done is left."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from recordings import SessionFileError
from recordings.exporters import FORMATS, ExportCancelledError, ExportError, ExportOptions, export_session
from recordings.exporters import base as export_base
from recordings.reader import Session, open_session
from tests.recordings.exporters.conftest import BLIND, MakeSession


@pytest.mark.parametrize("name", [n for n, f in FORMATS.items() if n not in ("usd", "rrd")])
def test_a_cancelled_export_leaves_nothing(session: Session, tmp_path: Path, name: str) -> None:
    def stop(done: int, total: int) -> None:
        raise ExportCancelledError

    out = tmp_path / "out" / f"x{FORMATS[name].suffix}"
    with pytest.raises(ExportCancelledError):
        export_session(session, name, out, progress=stop)
    left = [p for p in (tmp_path / "out").iterdir()] if (tmp_path / "out").exists() else []
    # Tables are written at once and told at the end; whatever is there is whole.
    assert left in ([], [out])


def test_an_export_never_replaces_a_full_folder(session: Session, tmp_path: Path) -> None:
    (tmp_path / "png").mkdir()
    (tmp_path / "png" / "holiday.png").write_bytes(b"x")
    with pytest.raises(ExportError, match="is not empty"):
        export_session(session, "ply", tmp_path / "png")
    assert (tmp_path / "png" / "holiday.png").read_bytes() == b"x"


def test_a_full_disk(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(ExportError, match=r"No space left on device.*is the disk full"):
        export_session(session, "npz", tmp_path / "out" / "a.npz")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_written_to(session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportError, match="cannot be written"):
        export_session(session, "csv", tmp_path / "file" / "a.csv")


def test_no_face_at_all(make_session: MakeSession, tmp_path: Path) -> None:
    session = open_session(make_session("empty", list(BLIND)))
    with pytest.raises(ExportError, match="nothing to animate"):
        export_session(session, "glb", tmp_path / "a.glb")
    export_session(session, "csv", tmp_path / "a.csv")


def test_another_face_model_keeps_its_values(make_session: MakeSession, tmp_path: Path) -> None:
    session = open_session(make_session("other", face_model="flame-2023"))
    with pytest.raises(ExportError, match=r"flame-2023.*csv, parquet"):
        export_session(session, "glb", tmp_path / "a.glb")
    export_session(session, "bvh", tmp_path / "a.bvh")
    export_session(session, "livelink-csv", tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("options", "words"),
    [({"fps": 0.5}, "between 1 and 240"), ({"start_s": 3.0, "end_s": 2.0}, "swap"), ({"wrinkle_shapes": 0}, "1 to 32")],
)
def test_options_that_cannot_be(options: dict[str, float], words: str) -> None:
    with pytest.raises(ExportError, match=words):
        ExportOptions(**options)  # type: ignore[arg-type]


def test_a_range_without_frames(session: Session, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"lasts until 0\.76 s"):
        export_session(session, "csv", tmp_path / "a.csv", ExportOptions(start_s=5.0))


def test_a_time_stamp_from_another_world(make_session: MakeSession, tmp_path: Path) -> None:
    session = open_session(make_session("long", range(3), [0.0, 0.04, 1e9]))
    with pytest.raises(ExportError, match="longer than a day"):
        export_session(session, "csv", tmp_path / "a.csv", ExportOptions(fps=60))


def test_a_folder_that_is_no_session(tmp_path: Path) -> None:
    with pytest.raises(SessionFileError, match="does not exist"):
        open_session(tmp_path / "none")
    with pytest.raises(SessionFileError, match="is not a session"):
        open_session(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(SessionFileError, match="not the folder of a session"):
        open_session(tmp_path / "file")


def test_a_table_that_was_cut_off_keeps_its_whole_rows(make_session: MakeSession) -> None:
    folder = make_session("cut")
    table = folder / "frames.csv"
    table.write_bytes(table.read_bytes()[:-200])
    assert len(open_session(folder).track) == 19


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "a,b,c\n1,2,3\n",
        lambda text: "",
        lambda text: text.replace("jawOpen", "jawOpem"),
        lambda text: text.replace(text.splitlines()[3].split(",")[5], "banana", 1),
        lambda text: "\0" * 1000,
        lambda text: "é" * 100,
    ],
)
def test_a_table_that_is_none(make_session: MakeSession, spoil) -> None:  # type: ignore[no-untyped-def]
    folder = make_session("spoilt")
    table = folder / "frames.csv"
    table.write_text(spoil(table.read_text(encoding="ascii")), encoding="utf-8")
    with pytest.raises(SessionFileError, match="restore it or track again"):
        open_session(folder)


def test_a_row_that_claims_a_face_without_having_one(make_session: MakeSession) -> None:
    folder = make_session("claims")
    lines = (folder / "frames.csv").read_text().splitlines()
    cells = lines[BLIND[0] + 1].split(",")
    cells[2] = "1"
    lines[BLIND[0] + 1] = ",".join(cells)
    (folder / "frames.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(SessionFileError, match="damaged"):
        open_session(folder)


def test_a_manifest_cannot_point_outside_its_folder(make_session: MakeSession, tmp_path: Path) -> None:
    folder = make_session("hostile")
    (tmp_path / "secret.csv").write_text((folder / "frames.csv").read_text())
    (tmp_path / "secret.mkv").write_bytes(b"x")
    manifest = json.loads((folder / "session.json").read_text())
    manifest["media"] |= {"present": True, "video": "../secret.mkv"}
    (folder / "session.json").write_text(json.dumps(manifest))
    assert open_session(folder).video_path() is None
    manifest["parameters"]["file"] = "../secret.csv"
    (folder / "session.json").write_text(json.dumps(manifest))
    with pytest.raises(SessionFileError, match="outside its folder"):
        open_session(folder)


def test_a_crowd_of_files_does_not_stay_behind_when_writing_fails(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Path, data: bytes) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(ExportError, match="cannot be written"):
        export_session(session, "ply", tmp_path / "out" / "ply")
    assert list((tmp_path / "out").iterdir()) == []


def test_without_the_extra(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for module, name, suffix in (("pxr", "usd", "usdc"), ("rerun", "rrd", "rrd")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ExportError, match=r"pip install 'mien\["):
            export_session(session, name, tmp_path / f"a.{suffix}")


def test_part_files_take_their_names_at_the_end(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_text("old")
    with pytest.raises(ValueError, match="stop"), export_base.part_file(out) as part:
        part.write_text("half")
        raise ValueError("stop")
    assert out.read_text() == "old" and list(tmp_path.iterdir()) == [out]
    with export_base.part_file(out) as part:
        part.write_text("new")
        assert out.read_text() == "old"
    assert out.read_text() == "new" and list(tmp_path.iterdir()) == [out]
