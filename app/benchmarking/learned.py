"""The learned core under measurement: which tracker runs, and what its networks did meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from app.avatar_store import LIBRARY
from app.benchmarking.samples import Samples, percentiles
from app.learned_core import engine_facts
from models.avatars.person_file import SUFFIX, read_person
from models.face_model import FaceModel
from models.networks.presets import PresetName
from tracking import FaceTracker, TrackedFace, TrackerSettings
from tracking.coarse import CoarsePredictor, chosen_weights
from tracking.coarse_settings import CoarseSettings
from tracking.detail import Detail, DetailStage
from tracking.detail_network import DetailNetwork
from tracking.detail_settings import DetailSettings
from tracking.detailed import DetailedTracker
from tracking.person_wrinkles import PersonSkin
from tracking.retarget import Retargeter
from tracking.types import DetailState, FaceParameters

DRIVEN = 300
"""Faces that drive an avatar for `driving_ms`."""

__all__ = ["LearnedCore", "MeasuredCore"]


@dataclass(frozen=True, slots=True)
class LearnedCore:
    """Which learned parts take part.

    Attributes:
        detail: wrinkles.
        coarse: the coarse network's part, see CoarseSettings.
        coarse_preset: which of the shipped networks.
        coarse_weights: a file instead of it.
    """

    detail: bool = False
    coarse: Literal["off", "opinion", "lead"] = "off"
    coarse_preset: PresetName = "lite"
    coarse_weights: Path | None = None

    @property
    def settings(self) -> TrackerSettings:
        """The tracker's. A face of any size is encoded: what is measured is time, and the demo's face is small."""
        return TrackerSettings(
            coarse=CoarseSettings(mode=self.coarse, preset=self.coarse_preset, weights=self.coarse_weights),
            detail=DetailSettings(enabled=self.detail, smallest_face=0),
        )


class _RecordedStage(DetailStage):
    """Notes each result and when it was there."""

    def __init__(self, model: FaceModel, network: DetailNetwork, settings: DetailSettings) -> None:
        super().__init__(model, network, settings)
        self.network = network
        self.results: list[tuple[float, Detail]] = []
        self.seen: list[FaceParameters] = []

    def process(self, tracked: TrackedFace) -> Detail:
        """See DetailStage."""
        found = super().process(tracked)
        self.results.append((time.monotonic(), found))
        if tracked.parameters is not None and len(self.seen) < DRIVEN:
            self.seen.append(tracked.parameters)
        return found

    def driving_ms(self) -> list[float]:
        """What it takes to drive a person's avatar by each of the first faces: retargeting, posing, decoding."""
        person = read_person(min(LIBRARY.glob(f"*{SUFFIX}")))
        identity = self._model.identity(person.identity)
        skin = PersonSkin(self._model, person, identity, self.network)
        retargeter, found = Retargeter(), []
        for number, parameters in enumerate(self.seen):
            started = time.perf_counter()
            driven = retargeter.apply(parameters, number / 30)
            posed = self._model.pose(identity, driven.values, driven.gaze)
            skin.relief(posed.vertices)
            found.append((time.perf_counter() - started) * 1e3)
        return found


def _stage(tracker: FaceTracker) -> _RecordedStage:
    settings = tracker.settings.detail
    network = DetailNetwork(tracker.model.name, settings.weights, settings.engine)
    return _RecordedStage(tracker.model, network, settings)


class MeasuredCore:
    """A tracker with the wanted learned parts; a context, which closes it.

    Args:
        core: what takes part.
        threaded: wrinkles on a thread of their own, as live; otherwise each picture waits for its own.

    Raises:
        WeightsError, EngineError: a wanted network cannot be used.
    """

    def __init__(self, core: LearnedCore, threaded: bool) -> None:
        self._core = core
        self._stage: _RecordedStage | None = None
        self._made_s = 0.0
        inner = FaceTracker(core.settings)
        self.tracker: FaceTracker | DetailedTracker = inner
        self.beside: FaceTracker | DetailedTracker = inner
        """Takes turns with MediaPipe: the same tracker, without the thread that would work during its turn."""
        if not core.detail:
            return
        started = time.perf_counter()
        try:
            # Before the clip begins: the conversion of the networks would otherwise fall on its first seconds.
            stage = self._stage = _stage(inner)
            self.tracker = DetailedTracker(inner, lambda: stage, threaded)
        except Exception:
            inner.close()
            raise
        self._made_s = time.perf_counter() - started
        if not threaded:
            self.beside = self.tracker

    def report(self, samples: Samples) -> dict[str, Any]:
        """`detail_hz`, and `detail` and `coarse` where they took part."""
        found: dict[str, Any] = {"detail_hz": 0.0}
        if self._stage is not None:
            found["detail"] = self._detail(self._stage, samples)
            found["detail_hz"] = found["detail"]["hz"]
        if self._core.coarse != "off":
            found["coarse"] = self._coarse(samples)
        return found

    def _detail(self, stage: _RecordedStage, samples: Samples) -> dict[str, Any]:
        results = [d for at, d in stage.results if samples.first_s <= at <= samples.last_s]
        decodes = [d.decode_ms for d in results if d.decode_ms is not None]
        encodes = [d.encode_ms for d in results if d.encode_ms is not None and d.state is DetailState.LIVE]
        if not encodes:
            # A short clip was encoded once, before the pictures that count.
            encodes = [d.encode_ms for _, d in stage.results if d.encode_ms is not None and d.state is DetailState.LIVE]
        live = sum(d.state is DetailState.LIVE for d in results)
        network = stage.network
        return {
            "hz": round(len(decodes) / max(samples.wall_s, 1e-6), 2),
            "decodes": len(decodes),
            **({"decode_ms": percentiles(decodes)} if decodes else {}),
            **({"encode_ms": percentiles(encodes)} if encodes else {}),
            **({"driving_ms": percentiles(stage.driving_ms())} if stage.seen else {}),
            "live_share": round(live / max(len(results), 1), 3),
            "smallest_face": self._core.settings.detail.smallest_face,
            "load_s": round(self._made_s, 2),
            "preset": network.header.preset,
            "encoder": engine_facts(network.encoder),
            "decoder": engine_facts(network.decoder),
        }

    def _coarse(self, samples: Samples) -> dict[str, Any]:
        settings = self._core.settings.coarse
        # The tracker keeps its own to itself; the same file and machine give the same engine.
        predictor = CoarsePredictor(self.tracker.model, chosen_weights(settings), settings.engine)
        detected = len(samples.stages_ms.get("landmarks", ()))
        ms = samples.stages_ms.get("coarse")
        return {
            "mode": settings.mode,
            **({"ms": percentiles(ms)} if ms else {}),
            "led_share": round(1 - detected / len(samples.latency_ms), 3),
            "preset": predictor.header.preset,
            "engine": engine_facts(predictor.chosen),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tracker.close()
