"""Faults of a face model's file: each gives one sentence, and none asks for more memory than a face needs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from models.face_model import ModelFileError, load_face_model
from models.face_model.model import SHIPPED_MODEL
from models.face_model.schema import write_arrays
from tests.helpers.tiny_model import tiny_arrays

Tensors = dict[str, NDArray[np.generic]]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tensors, dict[str, str]]:
    """Tensors and metadata of a small, good model file."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    write_arrays(path, tiny_arrays(8, 12))
    with safe_open(path, framework="numpy") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata())  # noqa: SIM118 - not a dict


def refused(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        load_face_model(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert path.name in message
    return message


def test_a_good_small_file_is_read(content: tuple[Tensors, dict[str, str]], tmp_path: Path) -> None:
    save_file(content[0], tmp_path / "good.safetensors", metadata=content[1])
    model = load_face_model(tmp_path / "good.safetensors")
    assert model.albedo() is None
    np.testing.assert_allclose(model.mean, tiny_arrays(8, 12).mean)


def test_missing_damaged_and_truncated_files(tmp_path: Path) -> None:
    assert "missing" in refused(tmp_path / "absent.safetensors")
    assert "missing" in refused(tmp_path)
    shipped = SHIPPED_MODEL.read_bytes()
    for number, data in enumerate((b"", b"not a model", shipped[: len(shipped) // 2], b"\xff" * 100, shipped[:-1])):
        path = tmp_path / f"damaged{number}.safetensors"
        path.write_bytes(data)
        assert "damaged" in refused(path)


@pytest.mark.parametrize("version", ["2", "0", "", None])
def test_other_layout_versions(content: tuple[Tensors, dict[str, str]], tmp_path: Path, version: str | None) -> None:
    metadata = {k: v for k, v in content[1].items() if k != "schema_version"}
    if version is not None:
        metadata["schema_version"] = version
    save_file(content[0], tmp_path / "other.safetensors", metadata=metadata)
    assert "version" in refused(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    "key", ["faces", "uv_faces", "uv_vertex", "symmetry", "landmarks478_triangles", "landmarks68_triangles"]
)
@pytest.mark.parametrize("index", [-1, 10_000_000])
def test_indices_outside_the_mesh(
    content: tuple[Tensors, dict[str, str]], tmp_path: Path, key: str, index: int
) -> None:
    tensors = {k: v.copy() for k, v in content[0].items()}
    tensors[key].reshape(-1)[3] = index
    save_file(tensors, tmp_path / "indices.safetensors", metadata=content[1])
    assert "outside the mesh" in refused(tmp_path / "indices.safetensors")


@pytest.mark.parametrize(
    "key", ["mean", "identity_basis", "expression_basis", "faces", "uv_faces", "uv", "symmetry", "joint_mean",
            "joint_basis", "skin_weights", "face_part", "region_face", "landmarks478_triangles",
            "landmarks478_barycentrics", "landmarks68_triangles", "landmarks68_barycentrics"],
)  # fmt: skip
def test_arrays_that_do_not_belong_together(content: tuple[Tensors, dict[str, str]], tmp_path: Path, key: str) -> None:
    for number, change in enumerate((lambda a: a[:-1], lambda a: a.reshape(-1), lambda a: a[:0], None)):
        tensors = dict(content[0])
        if change is None:
            del tensors[key]
        else:
            changed = np.ascontiguousarray(change(tensors[key]))
            if changed.shape == tensors[key].shape or (key == "identity_basis" and number != 1):
                continue  # the same layout, or only fewer coefficients than the joints' basis has
            tensors[key] = changed
        save_file(tensors, tmp_path / f"{number}.safetensors", metadata=content[1])
        refused(tmp_path / f"{number}.safetensors")


@pytest.mark.parametrize("parts", ["5", "null", "[1, 2, 3]", "{broken", '"skin"', "[]"])
def test_part_names_that_are_none(content: tuple[Tensors, dict[str, str]], tmp_path: Path, parts: str) -> None:
    save_file(content[0], tmp_path / "parts.safetensors", metadata={**content[1], "parts": parts})
    refused(tmp_path / "parts.safetensors")


@pytest.mark.parametrize(
    ("mean_shape", "basis_shape"),
    [((4, 4, 3), (2, 4, 4)), ((4, 8, 3), (2, 4, 4, 3)), ((0, 0, 3), (2, 4, 4, 3)), ((4, 4, 3), (2, 0, 0, 3)),
     ((4, 4), (2, 4, 4, 3)), ((512, 512, 3), (100_000, 1, 1, 3)), (None, (2, 4, 4, 3))],
)  # fmt: skip
def test_colours_of_hostile_sizes(
    content: tuple[Tensors, dict[str, str]],
    tmp_path: Path,
    mean_shape: tuple[int, ...] | None,
    basis_shape: tuple[int, ...],
) -> None:
    # A basis is enlarged to the mean's size: a small file must not ask for terabytes.
    tensors = {
        **content[0],
        "albedo_basis": np.zeros(basis_shape, np.int8),
        "albedo_scale": np.ones(basis_shape[0], np.float32),
    }
    if mean_shape is not None:
        tensors["albedo_mean"] = np.zeros(mean_shape, np.uint8)
    save_file(tensors, tmp_path / "colours.safetensors", metadata=content[1])
    refused(tmp_path / "colours.safetensors")


def test_header_that_claims_more_than_the_file_holds(tmp_path: Path) -> None:
    header = {"mean": {"dtype": "F32", "shape": [2**40, 3], "data_offsets": [0, 12 * 2**40]}}
    text = json.dumps(header).encode()
    path = tmp_path / "huge.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * 64)
    assert "damaged" in refused(path)
