"""Readers of public data sets, on small folders of their published layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.training.data.public_sets import DataSetError, by_person, grouped_batches, read_set


def make(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")
    return root


def test_bupt_balancedface(tmp_path: Path) -> None:
    make(
        tmp_path, "race_per_7000/African/m.01/1.jpg", "race_per_7000/African/m.01/2.jpg",
        "race_per_7000/Asian/m.01/1.jpg", "race_per_7000/Asian/m.01/notes.txt",
    )  # fmt: skip
    found = read_set("bupt-balancedface", tmp_path)
    # The same number in two races is not the same person.
    assert {k: len(v) for k, v in by_person(found).items()} == {"African/m.01": 2, "Asian/m.01": 1}
    assert found[0].group == "African" and found[0].kind == "picture"


def test_celeb_df_gives_real_videos_only(tmp_path: Path) -> None:
    make(
        tmp_path, "Celeb-real/id0_0000.mp4", "Celeb-real/id0_0001.mp4", "Celeb-real/id12_0000.mp4",
        "YouTube-real/00017.mp4", "Celeb-synthesis/id0_id1_0000.mp4", "List_of_testing_videos.txt",
    )  # fmt: skip
    found = read_set("celeb-df-v2", tmp_path)
    assert all("synthesis" not in str(m.path) for m in found)
    assert {k: len(v) for k, v in by_person(found).items()} == {"id0": 2, "id12": 1, "youtube-00017": 1}


def test_mead(tmp_path: Path) -> None:
    make(
        tmp_path, "M003/video/front/happy/level_3/001.mp4", "M003/video/front/neutral/level_1/001.mp4",
        "M003/video/left_30/happy/level_3/001.mp4", "W011/video/front/sad/level_2/004.mp4", "readme/x.mp4",
    )  # fmt: skip
    found = read_set("mead", tmp_path)
    assert sorted(m.group for m in found) == ["happy level_3", "neutral level_1", "sad level_2"]
    assert set(by_person(found)) == {"M003", "W011"}


def test_vfhq(tmp_path: Path) -> None:
    make(
        tmp_path, "Clip+-0q2wE+P0+C0+F1537-1824/00000000.png", "Clip+-0q2wE+P0+C3+F2000-2100/00000000.png",
        "Clip+-0q2wE+P1+C0+F10-20/00000000.png", "Clip+empty+P0+C0+F1-2/info.txt",
    )  # fmt: skip
    found = read_set("vfhq", tmp_path)
    assert {k: len(v) for k, v in by_person(found).items()} == {"-0q2wE+P0": 2, "-0q2wE+P1": 1}
    assert all(m.kind == "frames" for m in found)


@pytest.mark.parametrize("name", ["bupt-balancedface", "celeb-df-v2", "mead", "vfhq"])
def test_another_folder_is_said(tmp_path: Path, name: str) -> None:
    make(tmp_path, "holiday/beach.jpg")
    with pytest.raises(DataSetError, match=f"does not look like {name}"):
        read_set(name, tmp_path)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no reader for faces"):
        read_set("faces", tmp_path)
    with pytest.raises(DataSetError, match="no folder"):
        read_set("mead", tmp_path / "none")


def test_batches_are_grouped_by_person_and_fair_to_groups(tmp_path: Path) -> None:
    many = [f"African/m.{i:02}/{j}.jpg" for i in range(20) for j in range(3)]
    few = [f"Indian/m.{i:02}/0.jpg" for i in range(4)]
    media = read_set("bupt-balancedface", make(tmp_path, *many, *few))
    batches = grouped_batches(media, people=3, each=2, rng=np.random.default_rng(0))
    seen = {"African": 0, "Indian": 0}
    for _ in range(200):
        batch = next(batches)
        names = [m.person for m in batch]
        assert len(set(names)) == 3
        assert names[0] == names[1] and names[2] == names[3] and names[4] == names[5]
        for medium in batch[::2]:
            seen[medium.group] += 1
        for a, b in zip(batch[::2], batch[1::2], strict=True):
            assert a.path != b.path or a.group == "Indian"
    assert 0.7 < seen["African"] / seen["Indian"] < 1.5


def test_too_few_people_is_said(tmp_path: Path) -> None:
    media = read_set("mead", make(tmp_path, "M003/video/front/happy/level_3/001.mp4"))
    with pytest.raises(DataSetError, match="needs 2 persons"):
        next(grouped_batches(media, 2, 2, np.random.default_rng(0)))
