"""Formats that sessions are exported to, one file each. Described in docs/exports.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from recordings.exporters.base import ExportCancelledError, ExportError, ExportOptions, Job
from recordings.reader import Session

__all__ = ["FORMATS", "ExportCancelledError", "ExportError", "ExportOptions", "Format", "export_session"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes:
        name: on the command line.
        title: for people.
        suffix: of its file; empty for a folder of files.
        module, function: where it is written; loaded once it is asked for.
        pictures: whether it renders pictures (view and size count).
        relief: whether it can carry the skin's relief.
        shape: whether it holds the shape of the person's face.
    """

    name: str
    title: str
    suffix: str
    module: str
    function: str
    pictures: bool = False
    relief: bool = False
    shape: bool = True


_LIST = (
    Format(
        "livelink-csv", "Live Link Face CSV (Unreal, MetaHuman)", ".csv", "tables", "export_live_link_csv", shape=False
    ),
    Format("csv", "CSV table", ".csv", "tables", "export_csv", shape=False),
    Format("parquet", "Parquet table", ".parquet", "tables", "export_parquet", shape=False),
    Format("npz", "NumPy arrays", ".npz", "tables", "export_npz"),
    Format("glb", "GLB with morph targets (Blender, Unity, Godot, web)", ".glb", "gltf", "export_glb", relief=True),
    Format("usd", "USD with animated points", ".usdc", "usd", "export_usd", relief=True),
    Format("obj", "OBJ sequence", "", "meshes", "export_obj", relief=True),
    Format("ply", "PLY sequence", "", "meshes", "export_ply", relief=True),
    Format("bvh", "BVH motion of head, neck and eyes", ".bvh", "bvh", "export_bvh", shape=False),
    Format("mp4", "MP4 video", ".mp4", "video", "export_mp4", pictures=True, relief=True),
    Format("webm", "WebM video", ".webm", "video", "export_webm", pictures=True, relief=True),
    Format("png", "PNG pictures with transparency", "", "video", "export_png", pictures=True, relief=True),
    Format("rrd", "Rerun recording", ".rrd", "rerun_file", "export_rrd"),
)
FORMATS: dict[str, Format] = {item.name: item for item in _LIST}
"""Name -> format, in the order in which to offer them."""


def export_session(
    session: Session,
    name: str,
    out: Path,
    options: ExportOptions | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Writes a session in a format.

    Nothing takes the name `out` before it is whole; when `progress` raises, nothing is left.

    Args:
        session: to export.
        name: of the format, see FORMATS.
        out: the file, or the folder for formats of many files. A file is replaced, a folder must be new or empty.
        options: see ExportOptions.
        progress: called with frames done and in all.

    Raises:
        ExportError: the format cannot be written; one sentence.
        KeyError: there is no such format.
    """
    chosen = FORMATS[name]
    write = getattr(import_module(f"recordings.exporters.{chosen.module}"), chosen.function)
    write(Job(session, out, options or ExportOptions(), progress))
