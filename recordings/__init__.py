"""What a session leaves on disk: its manifest, the table of frames, rendered videos."""

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
