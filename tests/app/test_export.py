"""`export`: one session or several, and sentences for what cannot be."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.app.conftest import Run
from tests.recordings.exporters.conftest import MakeSession, make_session

__all__ = ["make_session"]


def test_one_session(run: Run, make_session: MakeSession, tmp_path: Path) -> None:
    result = run("export", make_session(), "--format", "csv", "--out", tmp_path / "a.csv", "--start", 0.2)
    assert result.status == 0 and not result.err
    assert f"-> {tmp_path / 'a.csv'}" in result.out
    assert pd.read_csv(tmp_path / "a.csv")["frame"].tolist() == list(range(5, 20))


def test_a_name_without_suffix_gets_one_and_a_folder_a_name(
    run: Run, make_session: MakeSession, tmp_path: Path
) -> None:
    folder = make_session("ada")
    assert run("export", folder, "--format", "npz", "--out", tmp_path / "plain").status == 0
    assert (tmp_path / "plain.npz").is_file()
    (tmp_path / "into").mkdir()
    assert run("export", folder, "--format", "bvh", "--out", tmp_path / "into").status == 0
    assert (tmp_path / "into" / "ada.bvh").is_file()


def test_a_batch_goes_on_after_a_failure(run: Run, make_session: MakeSession, tmp_path: Path) -> None:
    one, two = make_session("one"), make_session("two")
    result = run("export", one, tmp_path / "none", two, "--format", "livelink-csv", "--out", tmp_path / "out")
    assert result.status == 1
    assert "none does not exist" in result.err and "1 of 3 sessions" in result.err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["one.csv", "two.csv"]


def test_sentences(run: Run, make_session: MakeSession, tmp_path: Path) -> None:
    folder = make_session()
    for args, words in (
        ([folder, "--format", "bvh", "--out", tmp_path / "a.glb"], "end it with .bvh"),
        ([folder, "--format", "csv", "--out", folder / "frames.csv"], "belongs to the session"),
        ([folder, "--format", "csv", "--out", tmp_path / "a.csv", "--wrinkles"], "cannot carry wrinkles"),
        ([tmp_path, "--format", "csv", "--out", tmp_path / "a.csv"], "is not a session"),
        (["--format", "csv", "--out", tmp_path / "a.csv"], "at least one session"),
    ):
        result = run("export", *args)
        assert result.status == 2, args
        assert words in result.err and "Traceback" not in result.err and result.err.count("\n") == 1


def test_the_formats_that_are_offered_are_all_there_are() -> None:
    from typing import get_args

    from app.cli.export import FormatName, ViewName
    from recordings.exporters import FORMATS
    from recordings.exporters.base import FrameView

    assert set(get_args(FormatName)) == set(FORMATS)
    assert set(get_args(ViewName)) == set(get_args(FrameView))
