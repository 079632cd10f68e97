"""Damaged and hostile avatar files: one sentence each, no crash, no other file opened, no memory without a limit."""

from __future__ import annotations

import copy
import json
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.avatars import AvatarFileError, load_avatar
from tests.helpers.avatar_files import GlbBuilder, person

DOWN = (0.0, -0.03, 0.0)


def refusal(path: Path) -> str:
    with pytest.raises(AvatarFileError) as caught:
        load_avatar(path)
    text = str(caught.value)
    assert text.startswith(path.name) or str(path) in text
    assert text.endswith(".") and "\n" not in text and len(text) < 300
    return text


def head(file: GlbBuilder) -> dict:  # type: ignore[type-arg]
    return file.json["meshes"][0]["primitives"][0]  # type: ignore[no-any-return]


def _missing_bytes(file: GlbBuilder) -> None:
    file.json["buffers"] = [{"byteLength": len(file.binary)}]
    file.binary.clear()


def _external(file: GlbBuilder) -> None:
    file.json["buffers"] = [{"byteLength": 4, "uri": "file:///etc/passwd"}]


def _circle(file: GlbBuilder) -> None:
    # The head's bone has the neck below it, and the neck hangs on nothing else.
    file.json["nodes"][1]["children"].remove(2)
    file.json["nodes"][3]["children"].append(2)


def _nan(file: GlbBuilder) -> None:
    view = file.json["bufferViews"][file.json["accessors"][head(file)["attributes"]["POSITION"]]["bufferView"]]
    struct.pack_into("<f", file.binary, view["byteOffset"] + 12, float("nan"))


def _huge_accessor(file: GlbBuilder) -> None:
    file.json["accessors"][head(file)["indices"]]["count"] = 2**31


def _huge_zeros(file: GlbBuilder) -> None:
    # No bytes behind it at all: a file of a hundred bytes that asks for gigabytes.
    file.json["accessors"].append({"componentType": 5126, "type": "VEC3", "count": 2**30})
    head(file)["attributes"]["POSITION"] = len(file.json["accessors"]) - 1


def _beyond(file: GlbBuilder) -> None:
    file.json["bufferViews"][0]["byteLength"] = len(file.binary) + 100


def _wrong_index(file: GlbBuilder) -> None:
    head(file)["indices"] = file.accessor(np.array([0, 1, 60000], np.uint16))


def _wrong_joint(file: GlbBuilder) -> None:
    count = file.json["accessors"][head(file)["attributes"]["POSITION"]]["count"]
    head(file)["attributes"]["JOINTS_0"] = file.accessor(np.full((count, 4), 200, np.uint8))


def _short_target(file: GlbBuilder) -> None:
    head(file)["targets"] = [{"POSITION": file.accessor(np.ones((3, 3), np.float32))}]


def _too_many_targets(file: GlbBuilder) -> None:
    head(file)["targets"] = head(file)["targets"] * 5000


def _draco(file: GlbBuilder) -> None:
    file.json["extensionsRequired"] = ["KHR_draco_mesh_compression"]


def _nothing_shown(file: GlbBuilder) -> None:
    for node in file.json["nodes"]:
        node.pop("mesh", None)


def _no_list(file: GlbBuilder) -> None:
    file.json["nodes"] = {"a": 1}


FAULTS: dict[str, tuple[Callable[[GlbBuilder], None], str]] = {
    "missing bytes": (_missing_bytes, "missing"),
    "external address": (_external, "not opened"),
    "nodes in a circle": (_circle, "circle"),
    "NaN vertex": (_nan, "not numbers"),
    "huge accessor": (_huge_accessor, "too large"),
    "huge accessor of zeros": (_huge_zeros, "too large"),
    "view beyond the buffer": (_beyond, "beyond"),
    "index beyond the vertices": (_wrong_index, "does not exist"),
    "joint beyond the skin": (_wrong_joint, "does not exist"),
    "target with too few vertices": (_short_target, "too few"),
    "too many targets": (_too_many_targets, "morph targets"),
    "Draco": (_draco, "Draco"),
    "nothing to draw": (_nothing_shown, "nothing to draw"),
    "nodes that are no list": (_no_list, "list"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_gives_one_sentence(tmp_path: Path, name: str) -> None:
    damage, word = FAULTS[name]
    file = person({"jawOpen": DOWN}, rows=6)
    damage(file)
    assert word in refusal(file.save(tmp_path / "bad.glb"))


def test_no_glb_at_all(tmp_path: Path) -> None:
    path = tmp_path / "bad.glb"
    for data in (b"", b"MZ\x90", b"glTF", b"{", b"[1]", b'{"asset":{"version":"1.0"}}', b'{"a":' * 200_000):
        path.write_bytes(data)
        refusal(path)
    refusal(tmp_path / "absent.glb")
    refusal(tmp_path)


def test_cut_off_file(tmp_path: Path) -> None:
    path = person(rows=6).save(tmp_path / "bad.glb")
    data = path.read_bytes()
    for size in (11, 19, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        refusal(path)


def test_neither_other_files_nor_addresses_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    file = person(rows=6)
    file.json["images"] = [{"uri": "secret.png"}]
    file.json["textures"] = [{"source": 0}]
    file.json["materials"][0] = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
    path = file.save(tmp_path / "bad.glb")
    import socket

    monkeypatch.setattr(socket, "socket", lambda *a, **k: pytest.fail("a socket was opened"))
    assert "not opened" in refusal(path)
    file.json["images"] = [{"uri": "https://example.org/picture.png"}]
    assert "not opened" in refusal(file.save(path))


def empty_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds almost nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head_ = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head_) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


def test_sixteen_thousand_pixel_texture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    file = person(rows=6)
    texture = file.texture_of(empty_png(16384, 16384), "image/png")
    file.json["materials"][0] = {"pbrMetallicRoughness": {"baseColorTexture": {"index": texture}}}
    path = file.save(tmp_path / "bad.glb")
    tracemalloc.start()
    assert "make it smaller" in refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6
    file.json["images"][0]["bufferView"] = file.view(empty_png(10_000, 9_000))
    assert "10000 x 9000" in refusal(file.save(path))
    file.json["images"][0]["bufferView"] = file.view(empty_png(64, 64)[:60])
    assert "picture 0" in refusal(file.save(path))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_damage_never_does_more_than_refuse(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "fuzz.glb"
    if not path.exists():
        person({"jawOpen": DOWN}, rows=4).save(path)
        (tmp_path / "whole").write_bytes(path.read_bytes())
    raw = bytearray((tmp_path / "whole").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    try:
        load_avatar(path)
    except AvatarFileError as error:
        assert "\n" not in str(error)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_odd_values_in_the_scene_never_do_more_than_refuse(tmp_path: Path, data: st.DataObject) -> None:
    file = person({"jawOpen": DOWN}, rows=4)
    values: list[Any] = [None, -1, 10**12, 1e308, "x", [], {}, True, [[]], 0]
    odd = st.sampled_from(values)
    for _ in range(data.draw(st.integers(1, 3))):
        place: object = file.json
        for _ in range(6):
            keys = (
                list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
            )
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if data.draw(st.booleans()) and place is not file.json:
                # A copy: an odd list would otherwise hold itself after a second change.
                place[key] = copy.deepcopy(data.draw(odd))  # type: ignore[index]
                break
            place = place[key]  # type: ignore[index]
    try:
        json.dumps(file.json)
        load_avatar(file.save(tmp_path / "odd.glb"))
    except AvatarFileError as error:
        assert "\n" not in str(error)
