"""Sending to other programs by Spout, Syphon and NDI."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from rendering.virtual_camera.outputs import OutputError, OutputRequest, open_output
from tests.helpers.virtual_camera import noise


class _Recorder:
    """A stand-in for the packages of Spout, Syphon and NDI: notes every call of whatever is called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def note(self, name: str, result: object = None) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            copied = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
            self.calls.append((name, copied + tuple(kwargs.items())))
            return result

        return call


class TestSharing:
    """By stand-ins with the packages' own names: there is neither Windows nor a Mac here."""

    REQUEST = OutputRequest(64, 36, 30, "", None, "Mien")

    def _request(self, backend: str) -> OutputRequest:
        return OutputRequest(64, 36, 30, backend, None, "Mien")

    def test_spout(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notes = _Recorder()
        sender = SimpleNamespace(
            setSenderName=notes.note("name"), sendImage=notes.note("image", True), releaseSender=notes.note("release")
        )
        monkeypatch.setitem(sys.modules, "SpoutGL", SimpleNamespace(SpoutSender=lambda: sender))
        monkeypatch.setitem(sys.modules, "SpoutGL.enums", SimpleNamespace(GL_RGBA=0x1908))
        output = open_output(self._request("spout"))
        picture = noise(0, 64, 36)
        output.send(picture)
        output.close()
        assert [name for name, _ in notes.calls] == ["name", "image", "release"]
        pixels, *rest = notes.calls[1][1]
        assert rest == [64, 36, 0x1908, False, 0] and notes.calls[0][1] == ("Mien",)
        assert isinstance(pixels, np.ndarray)
        np.testing.assert_array_equal(pixels[..., :3], picture)
        assert (pixels[..., 3] == 255).all() and output.device == "Mien"
        sender.sendImage = notes.note("image", False)
        with pytest.raises(OutputError, match="not taken"):
            output.send(picture)

    def test_syphon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notes = _Recorder()
        server = SimpleNamespace(device="gpu", publish_frame_texture=notes.note("publish"), stop=notes.note("stop"))
        monkeypatch.setitem(sys.modules, "syphon", SimpleNamespace(SyphonMetalServer=lambda name: server))
        raw = SimpleNamespace(create_mtl_texture=notes.note("texture", "texture"))
        monkeypatch.setitem(sys.modules, "syphon.utils.raw", raw)
        copier = SimpleNamespace(copy_image_to_mtl_texture=notes.note("copy"))
        monkeypatch.setitem(sys.modules, "syphon.utils.numpy", copier)
        output = open_output(self._request("syphon"))
        picture = noise(0, 64, 36)
        output.send(picture)
        output.close()
        assert [name for name, _ in notes.calls] == ["texture", "copy", "publish", "stop"]
        assert notes.calls[0][1] == ("gpu", 64, 36)
        assert notes.calls[2][1] == ("texture", ("is_flipped", True))
        pixels = notes.calls[1][1][0]
        assert isinstance(pixels, np.ndarray) and pixels.shape == (36, 64, 4)
        np.testing.assert_array_equal(pixels[..., :3], picture)

    def test_ndi(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notes = _Recorder()
        frame = SimpleNamespace(
            set_resolution=notes.note("size"), set_frame_rate=notes.note("rate"), set_fourcc=notes.note("fourcc")
        )
        sender = SimpleNamespace(
            set_video_frame=notes.note("frame"),
            open=notes.note("open"),
            write_video=notes.note("write", True),
            close=notes.note("close"),
        )
        modules = {
            "cyndilib": SimpleNamespace(),
            "cyndilib.wrapper": SimpleNamespace(),
            "cyndilib.video_frame": SimpleNamespace(VideoSendFrame=lambda: frame),
            "cyndilib.wrapper.ndi_structs": SimpleNamespace(FourCC=SimpleNamespace(RGBX="RGBX")),
            "cyndilib.sender": SimpleNamespace(Sender=notes.note("sender", sender)),
        }
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        output = open_output(self._request("ndi"))
        picture = noise(0, 64, 36)
        output.send(picture)
        output.close()
        names = [name for name, _ in notes.calls]
        assert names == ["size", "rate", "fourcc", "sender", "frame", "open", "write", "close"]
        pixels = notes.calls[6][1][0]
        assert isinstance(pixels, np.ndarray) and pixels.shape == (36 * 64 * 4,)
        np.testing.assert_array_equal(pixels.reshape(36, 64, 4)[..., :3], picture)

    @pytest.mark.parametrize("backend", ["spout", "syphon", "ndi"])
    def test_without_the_package(self, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("SpoutGL", "syphon", "cyndilib.video_frame"):
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(OutputError, match=f"^'{backend}' backend: import: "):
            open_output(self._request(backend))
