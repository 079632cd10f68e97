"""Small video files with known contents."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def write_clip(
    path: Path,
    pictures: Sequence[NDArray[np.uint8]],
    fps: int = 25,
    *,
    times_ms: Sequence[int] | None = None,
    sample_aspect: Fraction | None = None,
) -> Path:
    """Encode (H, W, 3) RGB pictures, all of one even size, nearly without loss; the suffix picks the container.

    Args:
        times_ms: presentation times in milliseconds, for a variable frame rate; by default n / fps.
        sample_aspect: width of a pixel in units of its height.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "4", "g": "5", "preset": "ultrafast"}
        if sample_aspect is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        stream.codec_context.time_base = Fraction(1, 1000)
        for n, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = times_ms[n] if times_ms is not None else round(n * 1000 / fps)
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turn_mp4(path: Path, degrees: int) -> Path:
    """Write a turn clockwise of 90, 180 or 270 degrees into the track header of an MP4, as telephones do."""
    one = 1 << 16
    cosine, sine = {90: (0, one), 180: (-one, 0), 270: (0, -one)}[degrees]
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    for slot, value in ((0, cosine), (1, sine), (3, -sine), (4, cosine)):
        content[matrix + 4 * slot : matrix + 4 * slot + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(content)
    return path
