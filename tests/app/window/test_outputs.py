"""Streams and the virtual camera, switched from the window."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox

from app.state.notices import Notice
from app.window.run import Opened
from app.window_settings import SourceSettings
from rendering.virtual_camera import VirtualCamera, VirtualCameraSettings
from tests.app.window.conftest import Until
from tests.app.window.test_main_window import click
from tests.helpers.memory_camera import HEAD
from tracking.streams.settings import VmcStream

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


def tick(opened: Opened, box: QCheckBox) -> None:
    """Press a box at its mark; the room beside its text does not count."""
    opened.window.show_dock("outputs")
    QApplication.processEvents()
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(12, box.height() // 2))


def received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except BlockingIOError:
        return b""


def notices(opened: Opened) -> dict[str, Notice]:
    return opened.window.models.notices._notices


def test_a_switched_on_stream_arrives(tracking: Opened, until: Until, receiver: socket.socket) -> None:
    preferences = tracking.window.models.preferences
    assert not tracking.window.models.outputs.streams, "nothing is sent, and no socket is open, until it is wanted"
    stream = VmcStream(port=receiver.getsockname()[1])
    preferences.set_outputs(streams=[stream.model_dump()])
    panel = tracking.window.sending.panel
    box, told = panel.streams[0]
    assert box.text() == "VMC" and not box.isChecked()
    tick(tracking, box)
    assert preferences.settings.outputs.streams[0].on
    packets = [b""]

    def arrived() -> bool:
        packets[0] = received(receiver)
        return b"jawopen" in packets[0].lower()

    until(arrived)
    assert packets[0].startswith(b"#bundle\0")
    until(lambda: "a second to 127.0.0.1" in told.text())
    assert tracking.window.sending.mark.isVisible() and "outside" not in notices(tracking)
    tick(tracking, box)
    until(lambda: not tracking.window.models.outputs.sending)


def test_leaving_this_computer_is_told(tracking: Opened, until: Until) -> None:
    # An address that is set aside for documentation: nobody has it.
    stream = VmcStream(target="192.0.2.1", on=True)
    tracking.window.models.preferences.set_outputs(streams=[stream.model_dump()])
    until(lambda: "outside" in notices(tracking))
    assert "192.0.2.1:39539" in notices(tracking)["outside"].sentence
    tick(tracking, tracking.window.sending.panel.streams[0][0])
    until(lambda: "outside" not in notices(tracking))


def test_the_dialog_refuses_what_cannot_be(window: Opened) -> None:
    part = window.window.sending
    part._edit(0)
    dialog = part.dialog
    assert dialog is not None
    dialog.fields["target"].setText("my house")  # type: ignore[attr-defined]
    click(dialog.act)
    assert dialog.isVisible() and "my house" in dialog.problem.text()
    dialog.fields["target"].setText("127.0.0.2")  # type: ignore[attr-defined]
    dialog.fields["port"].setText("40000")  # type: ignore[attr-defined]
    click(dialog.act)
    changed = window.window.models.preferences.settings.outputs.streams[0]
    assert isinstance(changed, VmcStream) and (changed.target, changed.port) == ("127.0.0.2", 40000)


def test_the_virtual_camera_shows_the_head(tracking: Opened, until: Until, tmp_path: Path) -> None:
    sink = tmp_path / "camera.bin"
    outputs, preferences = tracking.window.sending.outputs, tracking.window.models.preferences

    def make(settings: VirtualCameraSettings) -> VirtualCamera:
        return VirtualCamera(
            settings.model_copy(update={"device": str(sink)}),
            backend_module="tests.helpers.memory_camera",
            backend="memory",
        )

    outputs.make_camera = make
    wanted = VirtualCameraSettings(width=320, height=180, background="key")
    preferences.set_outputs(virtual_camera=wanted.model_dump())
    tick(tracking, tracking.window.sending.panel.camera)
    state = tracking.window.models.outputs
    until(lambda: state.camera is not None and state.camera.state.value == "running", 60)
    until(lambda: state.preview is not None and len(np.unique(state.preview[::8, ::8].reshape(-1, 3), axis=0)) > 50)
    preview = np.array(state.preview)
    assert tuple(preview[0, 0]) == (0, 255, 0), "the key colour is behind the head"
    assert tuple(preview[90, 160]) != (0, 255, 0)
    until(lambda: state.camera is not None and state.camera.fresh > 3)
    count = HEAD.unpack_from(sink.read_bytes())[4]
    assert count > 0

    # Hiding sends the plain picture.
    tracking.window.models.view.hidden = True
    plain = wanted.privacy
    until(lambda: state.preview is not None and bool((state.preview == plain).all()))
    assert state.camera is not None and state.camera.hidden
    tracking.window.models.view.hidden = False
    until(lambda: state.camera is not None and not state.camera.hidden)
    tick(tracking, tracking.window.sending.panel.camera)
    until(lambda: state.camera is None)
    assert tracking.window.head.feed is None


def test_a_camera_without_driver_says_what_to_do_and_tracking_goes_on(tracking: Opened, until: Until) -> None:
    tick(tracking, tracking.window.sending.panel.camera)
    state = tracking.window.models.outputs
    until(lambda: state.camera is not None and state.camera.problem is not None, 60)
    panel = tracking.window.sending.panel
    until(lambda: panel.retry.isVisibleTo(panel))
    assert state.camera is not None and panel.told.text() == state.camera.problem
    count = tracking.director.session.tracked
    until(lambda: tracking.director.session.tracked > count + 3)
    tracking.director.open_source(SourceSettings())
