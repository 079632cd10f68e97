"""Faces that others track: a phone drives our avatars."""

from typing import TYPE_CHECKING

from models.late_names import late_names

if TYPE_CHECKING:
    from tracking.streams.receivers.base import LOST_S, ReceivedFace, Receiver, ReceiverStatus
    from tracking.streams.receivers.ifacialmocap import IFacialMocapReceiver
    from tracking.streams.receivers.live_link import LiveLinkReceiver
    from tracking.streams.receivers.tracking import ReceiverSource, ReceiverTracking
    from tracking.streams.receivers.vmc import VmcReceiver

__all__ = [
    "LOST_S",
    "IFacialMocapReceiver",
    "LiveLinkReceiver",
    "ReceivedFace",
    "Receiver",
    "ReceiverSource",
    "ReceiverStatus",
    "ReceiverTracking",
    "VmcReceiver",
]

__getattr__ = late_names(
    __name__,
    {
        **dict.fromkeys(__all__, "base"),
        "IFacialMocapReceiver": "ifacialmocap",
        "LiveLinkReceiver": "live_link",
        "VmcReceiver": "vmc",
        **dict.fromkeys(("ReceiverSource", "ReceiverTracking"), "tracking"),
    },
)
