"""A receiver by its name, as it is typed or chosen."""

from __future__ import annotations

from tracking.streams.base import StreamError
from tracking.streams.receivers.base import Receiver
from tracking.streams.receivers.ifacialmocap import IFacialMocapReceiver
from tracking.streams.receivers.live_link import LiveLinkReceiver
from tracking.streams.receivers.vmc import VmcReceiver

__all__ = ["RECEIVERS", "make_receiver", "receiver_of"]

RECEIVERS: dict[str, tuple[str, int]] = {
    "live_link": ("Live Link Face", 11111),
    "ifacialmocap": ("iFacialMocap", 49983),
    "vmc": ("VMC", 39539),
}
"""Key -> name for people and usual port."""


def make_receiver(protocol: str, listen_on: str = "127.0.0.1", port: int | None = None, phone: str = "") -> Receiver:
    """A receiver that is not started yet.

    Args:
        protocol: a key of RECEIVERS.
        listen_on: own address; another machine (a phone) reaches only one that is not 127.0.0.1.
        port: None for the usual one.
        phone: address of the phone that is asked to start; for iFacialMocap, empty where the phone starts by itself.

    Raises:
        StreamError: there is no such protocol, or an address or port cannot be.
    """
    if protocol not in RECEIVERS:
        raise StreamError(f"There is no protocol {protocol!r} to receive: choose one of {', '.join(RECEIVERS)}.")
    port = port or RECEIVERS[protocol][1]
    if protocol == "live_link":
        return LiveLinkReceiver(port, listen_on)
    if protocol == "vmc":
        return VmcReceiver(port, listen_on)
    return IFacialMocapReceiver(port, listen_on, phone or None)


def receiver_of(spec: str) -> Receiver | None:
    """A receiver as `PROTOCOL[@ADDRESS][:PORT][+PHONE]`; None where the text names no protocol, and means something
    else (a file, a camera). Examples: `live_link@0.0.0.0`, `ifacialmocap@0.0.0.0+192.168.1.7`.

    Raises:
        StreamError: an address or port cannot be.
    """
    rest, _, phone = spec.partition("+")
    protocol, at, place = rest.partition("@")
    name, colon, port_text = protocol.partition(":") if not at else (protocol, "", "")
    if name not in RECEIVERS:
        return None
    address = "127.0.0.1"
    if at:
        # Of an address of version 6, which has colons itself, only what follows the bracket is a port.
        address, colon, port_text = place.rpartition(":") if ":" in place.rpartition("]")[2] else (place, "", "")
    if colon and not port_text.isdecimal():
        raise StreamError(f"{port_text!r} is no port: give a number after the colon, such as {RECEIVERS[name][1]}.")
    return make_receiver(name, address.strip("[]"), int(port_text) if colon else None, phone)
