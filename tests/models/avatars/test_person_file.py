"""Avatar files: what is written is read back; damaged and hostile files are refused with one sentence."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import models.avatars.person_manifest as person_manifest
from models.avatars.errors import AvatarFileError
from models.avatars.person_file import (
    LARGEST_FILE,
    CapturePart,
    HairPart,
    NeutralPart,
    PersonAvatar,
    PersonManifest,
    read_person,
    read_summary,
    write_person,
)
from models.face_model.hair_grid import RELIEF_COUNT


def avatar(**values: Any) -> PersonAvatar:
    manifest = PersonManifest(
        name="Ada Ünal",
        created=datetime(2026, 2, 3, tzinfo=UTC),
        licence="mine",
        consent="agreed",
        face_model="mien",
        identity=(0.5, -1.25),
        fov_rad=1.1,
        hair=HairPart(colour=(0.1, 0.2, 0.3), visible=False),
        neutral=NeutralPart(
            frames=9,
            expression={"jawOpen": 0.1},
            gaze=((0.0, 0.1), (0.0, 0.1)),
            head_quaternion=(1.0, 0.0, 0.0, 0.0),
            head_position_m=(0.0, 0.0, 0.5),
        ),
        capture=CapturePart(frames=10, usable=9, face_side_px=200.0, missing=("a smile",)),
    )
    rows = np.linspace(40, 210, 64, dtype=np.float32)
    texture = np.repeat(np.repeat(rows[:, None, None], 64, 1), 3, 2).astype(np.uint8)
    return PersonAvatar(manifest, np.array([0.5, -1.25], np.float32), texture, texture[:32, :32].copy(), **values)


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rebuilt(path: Path, parts: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_person(avatar(), tmp_path / "ada.mien")
    return tmp_path / "ada.mien"


def refused(path: Path) -> str:
    with pytest.raises(AvatarFileError) as caught:
        read_person(path)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 400
    return sentence


def test_what_is_written_is_read_back(file: Path) -> None:
    before, after = avatar(), read_person(file)
    assert after.manifest == before.manifest
    assert np.array_equal(after.identity, before.identity)
    assert after.texture.shape == (64, 64, 3)
    # JPEG of high quality: a smooth picture comes back within a few levels.
    assert np.abs(after.texture.astype(int) - before.texture).max() <= 4
    assert after.adapters is None and after.sources is None


def test_a_summary_needs_no_texture(file: Path) -> None:
    parts = members(file)
    parts["texture.jpg"] = b"\xff\xd8 broken"
    rebuilt(file, parts)
    assert read_summary(file).manifest.name == "Ada Ünal"
    assert "texture" in refused(file)


def test_networks_parts_are_kept(tmp_path: Path) -> None:
    adapters = {"vit.0.down": np.ones((4, 2), np.float32)}
    write_person(avatar(adapters=adapters), tmp_path / "a.mien")
    found = read_person(tmp_path / "a.mien").adapters
    assert found is not None and np.array_equal(found["vit.0.down"], adapters["vit.0.down"])


def test_equal_avatars_are_equal_files(tmp_path: Path, file: Path) -> None:
    write_person(avatar(), tmp_path / "again.mien")
    assert (tmp_path / "again.mien").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("keep", [0, 1, 10, 200, -1, -30])
def test_a_file_cut_short_is_refused(file: Path, keep: int) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:keep])
    refused(file)


def test_flipped_bytes_never_do_worse_than_a_sentence(file: Path) -> None:
    content = file.read_bytes()
    rng = np.random.default_rng(4)
    for _ in range(150):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 3):
            damaged[int(place)] ^= int(rng.integers(1, 256))
        file.write_bytes(bytes(damaged))
        try:
            read_person(file)
        except AvatarFileError as error:
            assert str(error).endswith(".")


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    for name, content in (("a.mien", b"hello"), ("b.mien", b""), ("c.mien", b"\x80\x04pickle" * 9)):
        (tmp_path / name).write_bytes(content)
        assert "no avatar file" in refused(tmp_path / name)
    assert "cannot be read" in refused(tmp_path / "missing.mien")


@pytest.mark.parametrize("name", ["../evil.py", "/etc/passwd", "run.pkl", "Manifest.json"])
def test_parts_that_do_not_belong_are_refused(file: Path, name: str) -> None:
    rebuilt(file, members(file) | {name: b"x"})
    assert "do not belong" in refused(file)


def test_doubled_parts_are_refused(file: Path) -> None:
    parts = members(file)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "w") as archive:
        for name in (*parts, "manifest.json"):
            archive.writestr(name, parts[name])
    assert "do not belong" in refused(file)


def test_a_bomb_is_refused_before_it_is_unpacked(file: Path) -> None:
    parts = members(file) | {"sources.safetensors": bytes(200 << 20)}
    rebuilt(file, parts, zipfile.ZIP_DEFLATED)
    assert file.stat().st_size < 1 << 20
    assert "too large" in refused(file)


def test_a_bomb_that_lies_about_its_size_is_cut_off(file: Path) -> None:
    parts = members(file) | {"sources.safetensors": bytes((64 << 20) + 12345)}
    rebuilt(file, parts, zipfile.ZIP_DEFLATED)
    real, told = struct.pack("<L", (64 << 20) + 12345), struct.pack("<L", 1 << 10)
    content = file.read_bytes()
    assert content.count(real) == 2
    file.write_bytes(content.replace(real, told))
    refused(file)


def test_a_huge_directory_is_refused(tmp_path: Path) -> None:
    path = rebuilt(tmp_path / "many.mien", {f"{n}": b"" for n in range(3000)})
    assert "do not belong" in refused(path)


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.mien"
    with path.open("wb") as out:
        out.truncate(LARGEST_FILE + 1)
    assert "larger than 30 MB" in refused(path)


def test_a_picture_bomb_is_refused_before_it_is_decoded(file: Path) -> None:
    out = io.BytesIO()
    Image.new("L", (9000, 9000)).save(out, "PNG")
    parts = members(file)
    del parts["texture.jpg"]
    rebuilt(file, parts | {"texture.png": out.getvalue()})
    assert "9000 x 9000" in refused(file)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", ""),
        ("name", "a\nb"),
        ("identity", [float("nan")]),
        ("identity", [1e9]),
        ("identity", [0.0] * 1001),
        ("fov_rad", 0.0),
        ("hair", {"colour": [2, 0, 0]}),
        ("hair", {"relief_m": [0.01] * 111}),
        ("hair", {"relief_m": [0.01] * 113}),
        ("hair", {"relief_m": [0.01] * 100_000}),
        ("hair", {"relief_m": [0.01] * 111 + [0.11]}),
        ("hair", {"relief_m": [0.01] * 111 + [-0.001]}),
        ("hair", {"relief_m": [0.01] * 111 + [float("nan")]}),
        ("hair", {"relief_m": [0.01] * 111 + [float("inf")]}),
        ("hair", {"relief_m": [0.01] * 111 + ["thick"]}),
        ("hair", {"relief_m": [[0.01] * 16] * 7}),
        ("hair", {"relief_m": 0.01}),
        ("kind", "demon"),
        ("neutral", {"frames": 1}),
        ("unknown", 1),
        ("format", "zip"),
        ("schema_version", "1"),
        ("schema_version", True),
    ],
)
def test_a_manifest_with_nonsense_is_refused(file: Path, key: str, value: object) -> None:
    parts = members(file)
    data = json.loads(parts["manifest.json"])
    data[key] = value
    rebuilt(file, parts | {"manifest.json": json.dumps(data).encode()})
    assert "manifest.json" in refused(file)


def test_json_nested_without_end_is_refused(file: Path) -> None:
    rebuilt(file, members(file) | {"manifest.json": b"[" * 900_000})
    assert "manifest.json" in refused(file)


def test_a_newer_version_asks_for_an_update(file: Path) -> None:
    parts = members(file)
    data = json.loads(parts["manifest.json"]) | {"schema_version": 99, "things": "to come"}
    rebuilt(file, parts | {"manifest.json": json.dumps(data).encode()})
    assert "newer version" in refused(file)


def test_an_older_version_is_migrated(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = members(file)
    data = json.loads(parts["manifest.json"]) | {"schema_version": 0}
    data["title"] = data.pop("name")
    rebuilt(file, parts | {"manifest.json": json.dumps(data).encode()})

    def titled(old: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in old.items() if key != "title"} | {"name": old["title"]}

    assert "cannot be brought" in refused(file)
    monkeypatch.setitem(person_manifest.MIGRATIONS, 0, titled)
    assert read_person(file).manifest.name == "Ada Ünal"


def test_the_first_version_had_no_relief_of_the_hair(file: Path) -> None:
    parts = members(file)
    data = json.loads(parts["manifest.json"]) | {"schema_version": 1}
    del data["hair"]["relief_m"]
    rebuilt(file, parts | {"manifest.json": json.dumps(data).encode()})
    assert read_person(file).manifest == avatar().manifest


def test_the_relief_of_hair_is_kept(tmp_path: Path) -> None:
    relief = tuple(round(0.0008 * n, 4) for n in range(RELIEF_COUNT))
    hairy = avatar()
    hairy = replace(hairy, manifest=hairy.manifest.model_copy(update={"hair": HairPart(relief_m=relief)}))
    write_person(hairy, tmp_path / "hairy.mien")
    assert read_person(tmp_path / "hairy.mien").manifest.hair.relief_m == relief


def test_a_full_disk_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(AvatarFileError, match="No space left"):
        write_person(avatar(), file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]
