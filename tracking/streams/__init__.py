"""Faces over the network: `StreamHub` sends them, `tracking.streams.receivers` receives those of others.

Nothing leaves this machine unless a stream is switched on and an address beyond it was typed. docs/streams.md has every
format's units, signs and axes.
"""

from typing import TYPE_CHECKING

from models.late_names import late_names

if TYPE_CHECKING:
    from tracking.streams.base import StreamError
    from tracking.streams.outlets import StreamStatus
    from tracking.streams.sender import StreamHub
    from tracking.streams.settings import (
        TITLES,
        IFacialMocapStream,
        LiveLinkStream,
        OpenSeeFaceStream,
        StreamSettings,
        VmcStream,
        VTubeStudioStream,
        read_stream,
    )

__all__ = [
    "TITLES",
    "IFacialMocapStream",
    "LiveLinkStream",
    "OpenSeeFaceStream",
    "StreamError",
    "StreamHub",
    "StreamSettings",
    "StreamStatus",
    "VTubeStudioStream",
    "VmcStream",
    "read_stream",
]

__getattr__ = late_names(
    __name__,
    {
        **dict.fromkeys(__all__, "settings"),
        "StreamError": "base",
        "StreamStatus": "outlets",
        "StreamHub": "sender",
    },
)
