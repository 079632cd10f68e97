"""Engines: the same answers everywhere, kept between starts, and said where one cannot be had."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.engines import choose
from models.engines.base import Engine, EngineError, Floats, NetworkSpec, difference
from models.engines.choose import load_engine, measure_engines
from models.engines.openvino_engine import OpenVINOEngine
from models.engines.torch_engine import TorchEngine
from models.networks.presets import ViTSettings
from models.networks.vit import CoarseReader, CoarseViT


def network() -> torch.nn.Module:
    torch.manual_seed(3)
    small = ViTSettings(
        image_size=128, dim=64, heads=4, depth=2, stem="convolutional", points=68, reduce=2, glimpses=16
    )  # fmt: skip
    return CoarseReader(CoarseViT(small))


@pytest.fixture
def spec() -> NetworkSpec:
    return NetworkSpec("small", "abc", {"crop": (1, 3, 128, 128)}, outputs=9, build=network)


def test_openvino_answers_as_torch_does(spec: NetworkSpec, tmp_path: Path) -> None:
    example = spec.example()
    wanted = TorchEngine(spec).run(*example)
    engine = OpenVINOEngine(spec, "f32", tmp_path, threads=1)
    found = engine.run(*example)
    assert difference(found, wanted) < 1e-3
    # Answers belong to the caller: a second run must not change them.
    kept = [a.copy() for a in found]
    engine.run(np.zeros_like(example[0]))
    assert all(np.array_equal(a, b) for a, b in zip(found, kept, strict=True))


def test_a_second_start_builds_nothing(spec: NetworkSpec, tmp_path: Path) -> None:
    load_engine(spec, "openvino", threads=1, cache=tmp_path)

    def fail() -> torch.nn.Module:
        raise AssertionError("built again")

    again = NetworkSpec(spec.name, spec.weights, spec.inputs, spec.outputs, fail)
    chosen = load_engine(again, "openvino", threads=1, cache=tmp_path)
    assert chosen.report.ok
    assert chosen.engine.name == "OpenVINO f32"


def test_other_weights_are_converted_anew(spec: NetworkSpec, tmp_path: Path) -> None:
    load_engine(spec, "openvino", threads=1, cache=tmp_path)
    built = []

    def build() -> torch.nn.Module:
        built.append(1)
        return network()

    other = NetworkSpec(spec.name, "def", spec.inputs, spec.outputs, build)
    load_engine(other, "openvino", threads=1, cache=tmp_path)
    assert built


def test_a_wrong_engine_gives_way_and_it_is_said(
    spec: NetworkSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(Engine):
        name = "wrong"

        def run(self, *inputs: Floats) -> tuple[Floats, ...]:
            return tuple(a * 2 for a in TorchEngine(spec).run(*inputs))

    real = choose._make

    def make(spec: NetworkSpec, kind: str, *rest: object) -> Engine:
        return Wrong() if kind.startswith("openvino") else real(spec, kind, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(choose, "_make", make)
    chosen = load_engine(spec, "openvino", threads=1, cache=tmp_path)
    assert chosen.engine.name == "PyTorch"
    passed = {r.engine: r.reason for r in chosen.passed_over}
    assert "differ by" in passed["openvino"]
    assert "NVIDIA" in passed["cuda"] or torch.cuda.is_available()


def test_the_fastest_is_remembered(spec: NetworkSpec, tmp_path: Path) -> None:
    reports = measure_engines(spec, threads=1, cache=tmp_path)
    best = min((r for r in reports if r.ok), key=lambda r: r.ms or 0)
    assert {r.engine for r in reports} == set(choose.ENGINES)
    chosen = load_engine(spec, "auto", threads=1, cache=tmp_path)
    assert chosen.report.engine == best.engine
    assert not chosen.passed_over


def test_a_damaged_memory_is_ignored(spec: NetworkSpec, tmp_path: Path) -> None:
    measure_engines(spec, threads=1, cache=tmp_path)
    for path in tmp_path.glob("*.json"):
        path.write_text("{")
    for path in tmp_path.glob("*-test.npz"):
        path.write_bytes(b"")
    assert load_engine(spec, "auto", threads=1, cache=tmp_path).report.ok


def test_an_unknown_engine_is_passed_over(spec: NetworkSpec, tmp_path: Path) -> None:
    chosen = load_engine(spec, "abacus", threads=1, cache=tmp_path)
    assert "no engine abacus" in chosen.passed_over[0].reason


def test_int8_needs_pictures(spec: NetworkSpec, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no pictures"):
        OpenVINOEngine(spec, "int8", tmp_path, threads=1)


_PROBE = """
import socket, sys
opened = []
real = socket.socket.connect
socket.socket.connect = lambda self, address: opened.append(address)
socket.getaddrinfo = lambda *a, **k: opened.append(a) or []
from models.engines.telemetry import import_openvino
ov = import_openvino()
import torch
ov.convert_model(torch.nn.Linear(2, 2), example_input=torch.zeros(1, 2))
import threading, time
time.sleep(1.0)
print(len(opened), "openvino_telemetry" in sys.modules and sys.modules["openvino_telemetry"] is not None)
"""


def test_openvino_does_not_call_home() -> None:
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["0", "False"], done.stdout + done.stderr


def test_an_answer_of_another_length_is_another_answer() -> None:
    one = (np.zeros((1, 3), np.float32), np.ones((1, 2), np.float32))
    assert difference(one, one) == 0
    assert difference(one[:1], one) == float("inf") == difference(one, one[:1])


def test_a_network_that_answers_more_is_compiled_anew(spec: NetworkSpec) -> None:
    assert spec.key != replace(spec, outputs=8).key
