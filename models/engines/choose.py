"""Which engine runs a network here: those that can be had are tested, the first good one serves, or the fastest.

A self-test compares an engine's answer on stored inputs with torch's in single precision, and times it. What the
measurement found is remembered in the cache folder, by network, weights, library versions and processor.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import platformdirs
from pydantic import BaseModel, ConfigDict

from models.engines.base import Engine, EngineError, Floats, NetworkSpec, difference
from models.engines.openvino_engine import OpenVINOEngine
from models.engines.tensorrt_engine import TensorRTEngine
from models.engines.torch_engine import TorchEngine

__all__ = ["ENGINES", "ChosenEngine", "EngineReport", "cache_folder", "load_engine", "measure_engines"]

_log = logging.getLogger(__name__)

ENGINES = ("tensorrt", "cuda", "openvino-bf16", "openvino-int8", "openvino", "torch")
"""In the order in which they are tried when nothing was measured; int8 only where it was measured, see
`measure_engines`."""
_WARM_UP, _QUICK, _THOROUGH = 2, 3, 15


class EngineReport(BaseModel):
    """What a self-test found."""

    model_config = ConfigDict(frozen=True)

    engine: str
    """One of ENGINES."""
    ok: bool
    difference: float | None = None
    """To torch in single precision, as a share of the answer's root mean square."""
    ms: float | None = None
    """Median time of a run."""
    reason: str = ""
    """Why it is not used, where it is not."""


@dataclass(frozen=True, slots=True)
class ChosenEngine:
    """An engine with what is known about it and about those that were passed over."""

    engine: Engine
    report: EngineReport
    passed_over: tuple[EngineReport, ...]

    @property
    def text(self) -> str:
        """What it is and what a run of it takes, for people."""
        return self.engine.name + ("" if self.report.ms is None else f", {self.report.ms:.0f} ms")


def cache_folder() -> Path:
    """Where compiled networks and measurements are kept: MIEN_CACHE, or the user's cache folder."""
    chosen = os.environ.get("MIEN_CACHE")
    return (Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_path("mien"))) / "engines"


def load_engine(
    spec: NetworkSpec, wanted: str = "auto", threads: int | None = None, cache: Path | None = None,
    calibration: Callable[[], list[tuple[Floats, ...]]] | None = None,
) -> ChosenEngine:  # fmt: skip
    """The engine that a measurement found fastest, or the first in ENGINES whose self-test passes.

    Args:
        spec: the network.
        wanted: one of ENGINES, or `auto`. A wanted engine that cannot be had gives way to the next one, which is said.
        threads: of the processor.
        cache: folder; None for `cache_folder`.
        calibration: inputs as they occur, for int8.

    Raises:
        EngineError: not even PyTorch can run it.
    """
    cache = cache or cache_folder()
    remembered = _remembered(spec, cache)
    order = [e for e in ENGINES if e != "openvino-int8"]
    if wanted != "auto":
        order = [wanted, *(e for e in order if e != wanted)]
    elif remembered is not None:
        order = [remembered, *(e for e in order if e != remembered)]
    passed_over: list[EngineReport] = []
    for kind in order:
        engine, report = _tested(spec, kind, threads, cache, calibration, _QUICK)
        if engine is not None:
            return ChosenEngine(engine, report, tuple(passed_over))
        passed_over.append(report)
        _log.info("%s does not run on %s: %s", spec.name, kind, report.reason)
    raise EngineError(f"{spec.name} runs on no engine here: {passed_over[-1].reason}")


def measure_engines(
    spec: NetworkSpec, threads: int | None = None, cache: Path | None = None,
    calibration: Callable[[], list[tuple[Floats, ...]]] | None = None,
) -> list[EngineReport]:  # fmt: skip
    """Tests and times every engine and remembers the fastest that is right; meant for the background.

    Arguments as `load_engine`.
    """
    cache = cache or cache_folder()
    reports = []
    for kind in ENGINES:
        engine, report = _tested(spec, kind, threads, cache, calibration, _THOROUGH)
        reports.append(report)
        if engine is not None:
            engine.close()
    usable = [r for r in reports if r.ok and r.ms is not None]
    if usable:
        best = min(usable, key=lambda r: r.ms or 0.0)
        content = {"key": _machine_key(spec), "best": best.engine, "reports": [r.model_dump() for r in reports]}
        try:
            cache.mkdir(parents=True, exist_ok=True)
            path = _measured_path(spec, cache)
            unfinished = path.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")
            unfinished.replace(path)
        except OSError as error:
            _log.warning("The measurement of engines cannot be kept: %s", error)
    return reports


def _tested(
    spec: NetworkSpec, kind: str, threads: int | None, cache: Path,
    calibration: Callable[[], list[tuple[Floats, ...]]] | None, runs: int,
) -> tuple[Engine | None, EngineReport]:  # fmt: skip
    try:
        engine = _make(spec, kind, threads, cache, calibration)
        example = spec.example()
        answers = engine.run(*example)
        times = []
        for index in range(_WARM_UP + runs):
            start = time.perf_counter()
            engine.run(*example)
            if index >= _WARM_UP:
                times.append(time.perf_counter() - start)
        off = difference(answers, _reference(spec, cache, engine if kind == "torch" else None))
    except EngineError as error:
        return None, EngineReport(engine=kind, ok=False, reason=str(error))
    ms = float(np.median(times)) * 1e3
    if off > spec.tolerance:
        engine.close()
        reason = f"its answers differ by {100 * off:.1f} % from PyTorch's"
        return None, EngineReport(engine=kind, ok=False, difference=off, ms=ms, reason=reason)
    return engine, EngineReport(engine=kind, ok=True, difference=off, ms=ms)


def _make(
    spec: NetworkSpec, kind: str, threads: int | None, cache: Path,
    calibration: Callable[[], list[tuple[Floats, ...]]] | None,
) -> Engine:  # fmt: skip
    if kind == "tensorrt":
        return TensorRTEngine(spec, cache)
    if kind == "cuda":
        return TorchEngine(spec, "cuda")
    if kind == "torch":
        return TorchEngine(spec, "cpu", threads)
    if kind == "openvino-int8":
        return OpenVINOEngine(spec, "int8", cache, threads, calibration() if calibration else None)
    if kind == "openvino-bf16":
        return OpenVINOEngine(spec, "bf16", cache, threads)
    if kind == "openvino":
        return OpenVINOEngine(spec, "f32", cache, threads)
    raise EngineError(f"There is no engine {kind}: choose one of {', '.join(ENGINES)}.")


def _reference(spec: NetworkSpec, cache: Path, torch_engine: Engine | None) -> tuple[Floats, ...]:
    """Torch's answers on the example, kept so that later starts need no torch."""
    example = spec.example()
    asked = hashlib.sha256(b"".join(i.tobytes() for i in example)).hexdigest()[:12]
    path = cache / f"{spec.key}-{asked}-test.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            return tuple(stored[f"answer{i}"] for i in range(spec.outputs))
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        pass
    answers = (torch_engine or TorchEngine(spec)).run(*example)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
        with unfinished.open("wb") as file:
            np.savez(file, **{f"answer{i}": a for i, a in enumerate(answers)})  # type: ignore[arg-type]
        unfinished.replace(path)
    except OSError as error:
        _log.warning("The self-test cannot be kept: %s", error)
    return answers


def _measured_path(spec: NetworkSpec, cache: Path) -> Path:
    return cache / f"{spec.key}-measured.json"


def _remembered(spec: NetworkSpec, cache: Path) -> str | None:
    try:
        content = json.loads(_measured_path(spec, cache).read_text(encoding="utf-8"))
        if content["key"] == _machine_key(spec) and content["best"] in ENGINES:
            return str(content["best"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _machine_key(spec: NetworkSpec) -> str:
    versions = []
    for package in ("torch", "openvino", "torch-tensorrt"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} none")
    return "; ".join([platform.machine(), platform.processor(), str(os.cpu_count()), *versions, str(spec.inputs)])
