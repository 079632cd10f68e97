"""FLAME and ICT-FaceKit converters, on small files of the same layout made from the shipped head."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csc_matrix

from models.channels import ARKIT_CHANNELS, CHANNEL_INDEX
from models.face_model import FaceModel, ModelFileError, load_face_model
from models.face_model.flame import convert_flame
from models.face_model.ict import convert_ict, ict_names

CHANNELS = ("mouthSmileLeft", "browInnerUp", "eyeBlinkRight")


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return load_face_model()


def _skin_and_eyes(head: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Vertices kept, and triangles over them."""
    chosen = head.faces[head.part_faces("skin", "eye_left", "eye_right")]
    kept, flat = np.unique(chosen, return_inverse=True)
    return kept, flat.reshape(-1, 3)


def _flame_dictionary(head: FaceModel) -> dict[str, object]:
    """FLAME's layout: another origin and scale, 300 + 50 components of which a few are known channels."""
    kept, faces = _skin_and_eyes(head)
    scale = 1.1
    template = head.mean[kept] * scale + np.array([0.01, -0.02, 0.03])
    directions = np.zeros((len(kept), 3, 350))
    directions[:, :, :20] = np.moveaxis(head.identity_basis[:20, kept], 0, 2) * scale
    for k, name in enumerate(CHANNELS):
        # Mixed, as principal components are.
        directions[:, :, 300 + k] = scale * (
            head.expression_basis[CHANNEL_INDEX[name]][kept]
            + 0.3 * head.expression_basis[CHANNEL_INDEX[CHANNELS[k - 1]]][kept]
        )
    weights = np.zeros((len(kept), 5))
    for joint, part in ((3, "eye_left"), (4, "eye_right")):
        own = np.isin(kept, np.unique(head.faces[head.part_faces(part)]))
        weights[own, joint] = 1.0
    weights[:, 1] = 1 - weights.sum(axis=1)
    regressor = np.zeros((5, len(kept)))
    regressor[0, 0] = regressor[1, 0] = regressor[2, 0] = 1.0
    for joint in (3, 4):
        own = weights[:, joint] > 0
        regressor[joint, own] = 1 / own.sum()
    return {
        "v_template": template, "shapedirs": directions, "weights": weights,
        "J_regressor": csc_matrix(regressor), "f": faces.astype(np.uint32), "bs_style": "lbs",
    }  # fmt: skip


def test_flame_gets_our_channels_uv_and_landmarks(head: FaceModel, tmp_path: Path) -> None:
    content = _flame_dictionary(head)
    matrix = content.pop("J_regressor")
    assert isinstance(matrix, csc_matrix)
    content["J_regressor"] = matrix.toarray()
    (tmp_path / "flame.pkl").write_bytes(pickle.dumps(content, protocol=2))
    reports = convert_flame(tmp_path / "flame.pkl", tmp_path / "flame.safetensors", head)
    explained = {report.channel: report.explained for report in reports}
    assert all(explained[name] > 0.8 for name in CHANNELS)
    assert explained["tongueOut"] < 0.1
    model = load_face_model(tmp_path / "flame.safetensors")
    kept, _ = _skin_and_eyes(head)
    np.testing.assert_allclose(model.mean, head.mean[kept], atol=0.002)
    moved = model.expression_basis[CHANNEL_INDEX["browInnerUp"]]
    truth = head.expression_basis[CHANNEL_INDEX["browInnerUp"]][kept]
    assert np.linalg.norm(moved - truth) < 0.25 * np.linalg.norm(truth)
    ours, theirs = head.embed(head.mean, head.landmarks68), model.embed(model.mean, model.landmarks68)
    assert np.linalg.norm(ours - theirs, axis=1).max() < 0.004
    posed = model.pose(model.identity(), np.zeros(52), gaze=np.array([[0.4, 0.0], [0.4, 0.0]]))
    assert np.linalg.norm(posed.vertices - model.mean, axis=1).max() > 0.003


def test_flame_with_chumpy_and_sparse_wrappers_is_read_without_those_libraries(head: FaceModel, tmp_path: Path) -> None:
    content = _flame_dictionary(head)
    data = pickle.dumps(content, protocol=2)
    assert b"scipy.sparse" in data
    (tmp_path / "flame.pkl").write_bytes(data)
    convert_flame(tmp_path / "flame.pkl", tmp_path / "flame.safetensors", head)
    assert load_face_model(tmp_path / "flame.safetensors").identity_count == 100


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch exploded",)


def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flame.pkl").write_bytes(pickle.dumps({"v_template": _Bomb()}))
    with pytest.raises(ModelFileError, match="refused"):
        convert_flame(tmp_path / "flame.pkl", tmp_path / "out.safetensors")
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps([1, 2]), pickle.dumps({"a": 1})])
def test_other_files_are_refused_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "flame.pkl").write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        convert_flame(tmp_path / "flame.pkl", tmp_path / "out.safetensors")
    assert "\n" not in str(caught.value)


def _write_obj(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    lines += [f"f {a + 1}/1 {b + 1}/1 {c + 1}/1" for a, b, c in faces]
    path.write_text("\n".join(lines) + "\n")


def test_ict_folder_becomes_a_model(head: FaceModel, tmp_path: Path) -> None:
    kept, faces = _skin_and_eyes(head)
    neutral = head.mean[kept].astype(np.float64) * 100 + np.array([0.0, 150.0, 0.0])
    _write_obj(tmp_path / "generic_neutral_mesh.obj", neutral, faces)
    _write_obj(tmp_path / "identity000.obj", neutral + 100 * head.identity_basis[0][kept], faces)
    for name in ("mouthSmileLeft", "jawOpen", "jawLeft"):
        shape = neutral + 100 * head.expression_basis[CHANNEL_INDEX[name]][kept]
        _write_obj(tmp_path / f"{ict_names(name)[0]}.obj", shape, faces)
    missing = convert_ict(tmp_path, tmp_path / "ict.safetensors", head)
    assert set(missing) == set(ARKIT_CHANNELS) - {"mouthSmileLeft", "jawOpen", "jawLeft"}
    model = load_face_model(tmp_path / "ict.safetensors")
    assert model.identity_count == 1
    np.testing.assert_allclose(model.mean, head.mean[kept], atol=0.002)
    for name in ("mouthSmileLeft", "jawOpen"):
        index = CHANNEL_INDEX[name]
        np.testing.assert_allclose(model.expression_basis[index], head.expression_basis[index][kept], atol=0.002)
    assert {"eye_left", "eye_right"} <= {model.part_names[i] for i in np.unique(model.face_part)}


def test_ict_side_names_keep_directions() -> None:
    assert ict_names("browDownLeft") == ("browDown_L",)
    assert ict_names("jawLeft")[0] == "jawLeft"
    assert ict_names("mouthRight")[0] == "mouthRight"
    assert ict_names("cheekPuff") == ("cheekPuff", "cheekPuff_L", "cheekPuff_R")


def test_ict_folder_without_the_neutral_mesh_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="generic_neutral_mesh"):
        convert_ict(tmp_path, tmp_path / "out.safetensors")
