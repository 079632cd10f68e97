"""The measurements of `benchmark-window`: the window on the demo clip, idle, closed, and the same clip without it.

The window's own timer drives the measurement, so that nothing is measured that the user would not see.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer

from app.benchmarking.process import age_s, memory_mb
from app.benchmarking.samples import percentiles
from app.demo_clip import DEMO_CLIP
from app.machine import machine_facts
from app.window.run import DEMO, Opened, run_window
from app.window_settings import SourceSettings
from recordings.versions import software_versions
from tracking import FaceTracker, Pipeline
from tracking.sources import make_source

WARM_UP_S, SETTLE_S = 4.0, 1.5
MEMORY_EVERY_S = 2.0
LONG_GAP_MS = 50.0


@dataclass(slots=True)
class _Phase:
    """What was measured over some seconds."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    shown: int = 0
    tracked: int = 0
    captured: int = 0
    latency_ms: list[float] = field(default_factory=list)
    gaps_ms: list[float] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        gaps = np.array(self.gaps_ms or [0.0])
        latency = {"latency_ms": percentiles(self.latency_ms)} if self.latency_ms else {}
        return {
            "seconds": round(self.seconds, 2),
            "view_fps": round(self.shown / self.seconds, 2),
            "tracked_fps": round(self.tracked / self.seconds, 2),
            "captured_fps": round(self.captured / self.seconds, 2),
            **latency,
            "cpu_percent": round(self.cpu_s / self.seconds * 100, 1),
            "event_loop_gap_ms": {
                "p95": round(float(np.percentile(gaps, 95)), 1),
                "longest": round(float(gaps.max()), 1),
                "over_50": int((gaps > LONG_GAP_MS).sum()),
            },
        }


class _Measuring:
    """Leads an open window through the phases.

    Args:
        opened: the window.
        seconds: of tracking.
        size: of the window in pixels of the window.
    """

    def __init__(self, opened: Opened, seconds: float, size: tuple[int, int]) -> None:
        self.opened = opened
        self.seconds = seconds
        self.first_picture_s = 0.0
        self.phases: dict[str, _Phase] = {}
        self.memory: list[tuple[float, float]] = []
        self.quit_s = 0.0
        opened.window.resize(*size)
        opened.window.first_picture.connect(self._on_first)
        self._memory_timer = QTimer(opened.window)
        self._memory_timer.timeout.connect(lambda: self.memory.append((time.monotonic(), memory_mb())))

    def _on_first(self) -> None:
        self.first_picture_s = age_s()
        self._later(WARM_UP_S, self._tracking)

    def _tracking(self) -> None:
        self._memory_timer.start(round(MEMORY_EVERY_S * 1000))
        self._measure("tracking", self.seconds, self._to_low_power)

    def _to_low_power(self) -> None:
        self._memory_timer.stop()
        self.opened.director.models.preferences.set_window(low_power=True)
        self._later(SETTLE_S, lambda: self._measure("low_power", min(self.seconds, 10.0), self._to_idle))

    def _to_idle(self) -> None:
        self.opened.director.models.preferences.set_window(low_power=False)
        self.opened.director.open_source(SourceSettings())
        self._later(SETTLE_S, lambda: self._measure("idle", min(self.seconds, 10.0), self._to_quit))

    def _to_quit(self) -> None:
        self.opened.director.open_source(DEMO)
        self._later(SETTLE_S, self._quit)

    def _quit(self) -> None:
        self.quit_s = time.monotonic()
        self.opened.window.close()

    def _measure(self, name: str, seconds: float, then: Callable[[], None]) -> None:
        window, session = self.opened.window, self.opened.director.session
        window.meter.reset()
        start, cpu = time.monotonic(), time.process_time()
        tracked, captured = session.tracked, _captured(self.opened)

        def end() -> None:
            self.phases[name] = _Phase(
                seconds=time.monotonic() - start,
                cpu_s=time.process_time() - cpu,
                shown=window.meter.count,
                tracked=max(0, session.tracked - tracked),
                captured=max(0, _captured(self.opened) - captured),
                latency_ms=list(window.meter.latency_ms),
                gaps_ms=list(window.meter.gaps_ms) if name != "idle" else [],
            )
            then()

        self._later(seconds, end)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        QTimer.singleShot(round(seconds * 1000), self.opened.window, what)


def benchmark_window(seconds: float, size: tuple[int, int] = (1280, 800)) -> dict[str, Any]:
    """All figures, with the keys of the JSON file.

    Args:
        seconds: of tracking; ten seconds each of low power and of no source follow.
        size: of the window.
    """
    measuring: list[_Measuring] = []
    run_window(DEMO, remember_source=False, prepare=lambda opened: measuring.append(_Measuring(opened, seconds, size)))
    found = measuring[0]
    quit_s = time.monotonic() - found.quit_s
    headless = _headless(min(seconds, 30.0))
    tracking = found.phases["tracking"].report()
    ratio = tracking["tracked_fps"] / headless["tracked_fps"]
    return {
        "size": list(size),
        "drawing": type(found.opened.window.head).__name__,
        "first_picture_s": round(found.first_picture_s, 2),
        "tracking": tracking,
        "low_power": found.phases["low_power"].report(),
        "idle_cpu_percent": found.phases["idle"].report()["cpu_percent"],
        "quit_s": round(quit_s, 3),
        "memory": _memory(found.memory),
        "headless": headless,
        "tracked_share_of_headless": round(ratio, 4),
        "machine": machine_facts(),
        "versions": software_versions(),
    }


def _captured(opened: Opened) -> int:
    status = opened.director.session.poll().status
    return status.captured if status is not None else 0


def _memory(samples: list[tuple[float, float]]) -> dict[str, float]:
    """Megabytes at the start and at the end: medians of a tenth of the samples each."""
    if len(samples) < 2:
        return {}
    values = [mb for _, mb in samples]
    tenth = max(1, len(values) // 10)
    first, last = float(np.median(values[:tenth])), float(np.median(values[-tenth:]))
    minutes = (samples[-1][0] - samples[0][0]) / 60
    return {
        "start_mb": round(first, 1),
        "end_mb": round(last, 1),
        "growth_mb": round(last - first, 1),
        "minutes": round(minutes, 2),
    }


def _headless(seconds: float) -> dict[str, float]:
    """The same clip at its pace through the pipeline alone."""
    with FaceTracker() as tracker:
        with Pipeline(make_source(DEMO_CLIP, paced=True, loop=True), tracker) as pipeline:
            pipeline.wait_for_result(None, 20.0)
            time.sleep(1.0)
            before, start = pipeline.status(), time.monotonic()
            time.sleep(seconds)
            after, took = pipeline.status(), time.monotonic() - start
        latency = after.latency_ms
    return {
        "tracked_fps": round((after.tracked - before.tracked) / took, 2),
        "captured_fps": round((after.captured - before.captured) / took, 2),
        "latency_p95_ms": round(latency.p95, 1) if latency else 0.0,
    }
