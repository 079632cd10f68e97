"""Faces that others track: a phone drives our avatars."""

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
