"""OSC: bytes as the standard has them, patched floats, a reader that nothing shakes."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from tracking.streams.osc import Message, OscError, PatchedBundles, read_packet


def test_a_message_has_the_bytes_of_the_standard() -> None:
    data, floats = Message("/VMC/Ext/Blend/Val", ("Joy", 0.5)).build()
    assert data == b"/VMC/Ext/Blend/Val\0\0,sf\0Joy\0\x3f\x00\x00\x00"
    assert floats == [28]


def test_a_text_that_fills_its_words_gets_another_word_of_zeros() -> None:
    data, _ = Message("/abc", ("head",)).build()
    assert data == b"/abc\0\0\0\0,s\0\0head\0\0\0\0"


def test_python_osc_reads_what_was_patched() -> None:
    messages = [Message("/a", ("x", 0.0, 0.0)), Message("/b", (7,)), Message("/c", (0.0,)), Message("/d")]
    (data,) = PatchedBundles(messages, 1000).encode(np.array([0.25, -2.0, 9.5]))
    read = [(m.address, m.params) for m in OscBundle(data)]
    assert read == [("/a", ["x", 0.25, -2.0]), ("/b", [7]), ("/c", [9.5]), ("/d", [])]


def test_bundles_are_divided_at_the_limit_and_keep_the_order() -> None:
    bundles = PatchedBundles([Message(f"/{i:03d}", (0.0,)) for i in range(50)], 200)
    parts = bundles.encode(np.arange(50.0))
    assert len(parts) > 5
    assert all(len(part) <= 200 for part in parts)
    assert [m.params[0] for part in parts for m in OscBundle(part)] == list(range(50))


def test_patching_does_not_touch_what_was_given_out() -> None:
    bundles = PatchedBundles([Message("/a", (0.0,))], 100)
    first = bundles.encode(np.array([1.0]))
    kept = bytes(first[0])
    bundles.encode(np.array([2.0]))
    assert first[0] == kept


def test_a_message_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="larger than 60 bytes"):
        PatchedBundles([Message("/" + "a" * 80)], 60)


def test_what_python_osc_builds_is_read() -> None:
    bundle = OscBundleBuilder(1)
    message = OscMessageBuilder("/x")
    for argument in (1, 2.5, "text", True, False, None, b"blob!"):
        message.add_arg(argument)
    bundle.add_content(message.build())
    inner = OscBundleBuilder(1)
    inner.add_content(OscMessageBuilder("/y").build())
    bundle.add_content(inner.build())
    read = read_packet(bundle.build().dgram)
    assert [(m.address, m.arguments) for m in read] == [("/x", (1, 2.5, "text", True, False, None, None)), ("/y", ())]


def _nested(depth: int) -> bytes:
    data = Message("/a").build()[0]
    for _ in range(depth):
        data = b"#bundle\0" + bytes(8) + struct.pack(">i", len(data)) + data
    return data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"abc",
        b"/a",
        b"/a\0\0,f\0\0\0",
        b"/a\0\0,q\0\0",
        b"/a\0\0,s\0\0abcd",
        b"/a\0\0,b\0\0\x7f\xff\xff\xff",
        b"/\xff\xfe\0,\0\0\0",
        b"#bundle\0",
        b"#bundle\0" + bytes(8) + b"\0\0",
        b"#bundle\0" + bytes(8) + struct.pack(">i", -4),
        b"#bundle\0" + bytes(8) + struct.pack(">i", 400) + b"/a\0\0",
        b"/" + b"a" * 60000 + b"\0",
        _nested(5),
        b"#bundle\0" + bytes(8) + (struct.pack(">i", 8) + b"/a\0\0,\0\0\0") * 3000,
    ],
)
def test_what_is_not_osc_is_refused(data: bytes) -> None:
    with pytest.raises(OscError):
        read_packet(data)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for packet in (data, b"#bundle\0" + bytes(8) + data, b"/a\0\0" + data):
        try:
            read_packet(packet)
        except OscError:
            pass
