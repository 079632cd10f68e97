"""What a session leaves on disk: its manifest, the table of frames, rendered videos."""

from typing import TYPE_CHECKING

from models.late_names import late_names

if TYPE_CHECKING:
    from recordings.manifest import SessionFileError, SessionManifest, read_manifest
    from recordings.session import SessionWriter
    from recordings.table import FRAME_COLUMNS, FrameTable
    from recordings.video import CODECS, Codec, VideoWriter, VideoWriterError

__all__ = [
    "CODECS",
    "FRAME_COLUMNS",
    "Codec",
    "FrameTable",
    "SessionFileError",
    "SessionManifest",
    "SessionWriter",
    "VideoWriter",
    "VideoWriterError",
    "read_manifest",
]

__getattr__ = late_names(
    __name__,
    {
        **dict.fromkeys(("SessionFileError", "SessionManifest", "read_manifest"), "manifest"),
        "SessionWriter": "session",
        **dict.fromkeys(("FRAME_COLUMNS", "FrameTable"), "table"),
        **dict.fromkeys(("CODECS", "Codec", "VideoWriter", "VideoWriterError"), "video"),
    },
)
