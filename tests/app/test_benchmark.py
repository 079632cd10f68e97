"""`benchmark`: its keys are a contract; its figures are checked for sense, not for speed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from app.benchmarking.paced import PacedSource
from app.benchmarking.process import PeakMemory, age_s, memory_mb
from tests.app.conftest import Run
from tracking import open_source

KEYS = {"fps", "latency_ms", "stages_ms", "peak_memory_mb", "startup_s", "detail_hz", "baseline", "machine"}


def test_unpaced(run: Run, tmp_path: Path) -> None:
    result = run("benchmark", "--frames", "64", "--json", tmp_path / "sub" / "b.json")
    assert result.status == 0, result.err
    report = json.loads((tmp_path / "sub" / "b.json").read_text())
    assert report.keys() >= KEYS
    assert report["fps"] > 1 and report["baseline"]["mediapipe_fps"] > report["fps"] * 0.8
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p95"]
    assert {"landmarks", "fit"} <= report["stages_ms"].keys()
    assert all(values["p50"] <= values["p95"] for values in report["stages_ms"].values())
    assert 50 < report["peak_memory_mb"] < 5000
    assert report["startup_s"] > 0 and report["detail_hz"] == 0
    assert report["machine"]["cpu"] and report["valid_frames"] == report["frames"]


@pytest.mark.gl
def test_paced(run: Run, tmp_path: Path) -> None:
    result = run("benchmark", "--frames", "60", "--paced", "20", "--render", "--json", tmp_path / "b.json")
    assert result.status == 0, result.err
    report = json.loads((tmp_path / "b.json").read_text())
    assert report.keys() >= KEYS
    assert 5 < report["fps"] < 22
    assert report["render"]["fps"] > 1
    assert report["paced_fps"] == 20


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch, detail_file: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tiny networks instead of the shipped ones, their engines away from the user's."""
    monkeypatch.setattr("tracking.detail_network.shipped_detail", lambda preset: detail_file)
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path_factory.getbasetemp() / "engines"))


@pytest.mark.usefixtures("networks")
def test_unpaced_with_the_learned_core_in_line(run: Run, tmp_path: Path, coarse_file: Path) -> None:
    json_file = tmp_path / "b.json"
    core = ("--detail", "--coarse", "opinion", "--coarse-weights", coarse_file)
    result = run("benchmark", "--frames", "40", *core, "--json", json_file)
    assert result.status == 0, result.err
    report = json.loads(json_file.read_text())
    detail, coarse = report["detail"], report["coarse"]
    assert report["detail_hz"] == detail["hz"] > 0 and detail["decodes"] == report["frames"]
    assert detail["smallest_face"] == 0 and detail["live_share"] > 0.5
    assert 0 < detail["decode_ms"]["p50"] <= detail["decode_ms"]["p95"] and detail["encode_ms"]["p50"] > 0
    assert {"detail", "coarse"} <= report["stages_ms"].keys()
    assert coarse["mode"] == "opinion" and coarse["ms"]["p50"] > 0 and coarse["led_share"] == 0
    for engine in (detail["encoder"], detail["decoder"], coarse["engine"]):
        assert engine["name"] and engine["self_test_ms"] > 0 and all(engine["passed_over"].values())
    for words in ("decodes a second", "faces of any size", "coarse network (opinion, lite)", "peak memory"):
        assert words in result.out
    assert coarse["engine"]["name"] in result.out


@pytest.mark.usefixtures("networks")
def test_paced_detail_has_a_thread_of_its_own(run: Run, tmp_path: Path) -> None:
    result = run("benchmark", "--frames", "50", "--paced", "20", "--detail", "--json", tmp_path / "b.json")
    assert result.status == 0, result.err
    report = json.loads((tmp_path / "b.json").read_text())
    assert 0.5 < report["detail_hz"] < 22 and "detail" not in report["stages_ms"] and "coarse" not in report


def test_weights_that_cannot_be_used(run: Run, tmp_path: Path) -> None:
    missing = ("--coarse-weights", tmp_path / "none.safetensors", "--json", tmp_path / "b.json")
    assert "--coarse lead" in run("benchmark", *missing).sentence()
    assert "--coarse lead" in run("benchmark", "--coarse-preset", "paper", "--json", tmp_path / "b.json").sentence()
    result = run("benchmark", "--coarse", "lead", *missing)
    assert result.status == 2 and "no weights" in result.sentence()


def test_what_cannot_be_measured(run: Run, tiny_clip: Path, tmp_path: Path) -> None:
    for options, words in (
        (["--input", tiny_clip], "shows no face"),
        (["--input", tmp_path / "missing.mp4"], "There is no"),
        (["--render"], "--paced"),
    ):
        result = run("benchmark", *options, "--json", tmp_path / "b.json")
        assert result.status == 2
        assert words in result.sentence()
        assert not (tmp_path / "b.json").exists()


def test_memory_sees_what_is_taken() -> None:
    before = memory_mb()
    with PeakMemory(0.02) as peak:
        block = np.ones(60_000_000, np.uint8)
        time.sleep(0.2)
        del block
    assert peak.mb > before + 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_memory_counts_children() -> None:
    reader, writer = os.pipe()
    before = memory_mb()
    child = os.fork()
    if child == 0:  # pragma: no cover
        block = np.ones(80_000_000, np.uint8)
        os.write(writer, b"x")
        time.sleep(30 + float(block[0]))
        os._exit(0)
    try:
        os.read(reader, 1)
        assert memory_mb() > before + 60
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)


def test_the_age_of_the_process_grows() -> None:
    age = age_s()
    time.sleep(0.05)
    assert 0 < age < age_s() - 0.03


def test_a_paced_clip_keeps_the_chosen_rate(tiny_clip: Path) -> None:
    source = PacedSource(open_source(tiny_clip), 50.0)
    start = time.monotonic()
    with source:
        times = [frame.time_s for frame in source]
    assert times == pytest.approx([n / 50 for n in range(20)])
    assert 0.35 < time.monotonic() - start < 3.0
