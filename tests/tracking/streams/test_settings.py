"""Stream settings: loopback unless another address is typed, and one sentence for what cannot be."""

from __future__ import annotations

import pytest

from tracking.streams import TITLES, LiveLinkStream, StreamError, VmcStream, VTubeStudioStream, read_stream
from tracking.streams.base import parse_address


@pytest.mark.parametrize("protocol", TITLES)
def test_every_protocol_is_off_and_stays_on_this_machine_by_default(protocol: str) -> None:
    stream = read_stream({"protocol": protocol})
    assert not stream.on and not stream.outside
    assert stream.place.startswith("127.0.0.1:") and stream.title == TITLES[protocol]
    assert read_stream(stream.model_dump()) == stream


def test_another_machine_has_to_be_typed() -> None:
    assert VmcStream(target="192.168.0.7").outside
    assert VTubeStudioStream(listen_on="0.0.0.0").outside
    assert not LiveLinkStream(target="localhost").outside
    assert not LiveLinkStream(target="::1").outside
    assert LiveLinkStream(target="::1").place == "[::1]:11111"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"protocol": "smoke"}, "There is no stream protocol 'smoke'"),
        ({}, "choose one of vmc, live_link"),
        ({"protocol": "vmc", "target": "studio-pc"}, "'studio-pc' is not a network address"),
        ({"protocol": "vmc", "target": "239.1.1.1"}, "reaches many machines at once"),
        ({"protocol": "vmc", "target": "255.255.255.255"}, "reaches many machines at once"),
        ({"protocol": "vmc", "target": "0.0.0.0"}, "no machine that could receive"),
        ({"protocol": "vtube_studio", "listen_on": "me"}, "'me' is not a network address"),
        ({"protocol": "vmc", "port": 70000}, "The VMC stream's port cannot be used"),
        ({"protocol": "vmc", "rate": 0}, "The VMC stream's rate cannot be used"),
        ({"protocol": "live_link", "subject": ""}, "The Live Link Face stream's subject cannot be used"),
        ({"protocol": "vmc", "colour": 1}, "The VMC stream's colour cannot be used"),
    ],
)
def test_what_cannot_be_is_one_sentence(data: dict[str, object], said: str) -> None:
    with pytest.raises(StreamError) as caught:
        read_stream(data)
    assert said in str(caught.value)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_names_are_not_looked_up() -> None:
    with pytest.raises(StreamError):
        parse_address("example.com")
