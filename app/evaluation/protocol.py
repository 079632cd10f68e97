"""The paper's protocols: our trackers and other methods' result files in one table and one plot."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.evaluation.landmarks import nearest
from models.geometry.outline import FaceOutline
from tracking import StillTracker
from tracking.evaluation.landmark_errors import boundary_error, error_distribution, eye_distance, inner_error
from tracking.evaluation.protocols import ProtocolSample
from tracking.evaluation.results import MethodResults, PictureResult
from tracking.points import project_embedding

Answer = Callable[[ProtocolSample, NDArray[np.float64]], PictureResult]
"""A method: what it finds in a sample, whose truth (68, 2) tells which of several faces is meant."""


@dataclass(slots=True)
class MethodErrors:
    """One method's errors, one for each sample, None for a miss.

    Attributes:
        name: of the method.
        inner: of the 51 inner landmarks.
        all68: of all 68.
        boundary: see `boundary_error`; all None for a method without outlines.
        has_outline: whether the method tells outlines.
    """

    name: str
    inner: list[float | None] = field(default_factory=list)
    all68: list[float | None] = field(default_factory=list)
    boundary: list[float | None] = field(default_factory=list)
    has_outline: bool = True

    def add(self, result: PictureResult, truth: NDArray[np.float64]) -> None:
        """The errors of one sample."""
        points = result.landmarks
        self.inner.append(None if points is None else inner_error(points, truth))
        self.all68.append(None if points is None else all_error(points, truth))
        self.boundary.append(None if result.outline is None else boundary_error(result.outline, truth))


def all_error(found: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Mean Euclidean distance of all (68, 2) points as a share of the outer-eye distance."""
    return float(np.linalg.norm(found - truth, axis=1).mean() / eye_distance(np.asarray(truth)))


def our_tracker(tracker: StillTracker) -> Answer:
    """A still tracker as a method."""
    model = tracker.model
    outline = FaceOutline(model.faces, model.vertex_count, model.regions["outline"])

    def answer(sample: ProtocolSample, truth: NDArray[np.float64]) -> PictureResult:
        image = sample.picture()
        faces = tracker.detect(image)
        if not faces:
            return PictureResult(None, None)
        fitted = tracker.estimate(image, nearest(faces, truth))
        posed = model.pose(fitted.identity, fitted.expression, fitted.gaze)
        points = project_embedding(model, fitted, posed.vertices, model.landmarks68).astype(np.float64)
        edge = outline.exact(
            posed.vertices, fitted.rotation, fitted.translation, fitted.camera, normals=posed.normals
        )  # fmt: skip
        return PictureResult(points, edge.pixels)

    return answer


def result_file(results: MethodResults) -> Answer:
    """A result file as a method."""
    return lambda sample, truth: results.of(sample.name)


def run_protocol(
    samples: Sequence[ProtocolSample], methods: dict[str, tuple[Answer, bool]], origin: int, step: Callable[[], None]
) -> list[MethodErrors]:
    """Every method on every sample.

    Args:
        samples: of the set.
        methods: name -> the method, and whether it tells outlines.
        origin: number that `.pts` files give the first pixel.
        step: called after each sample.

    Raises:
        SourceError: a picture or an annotation cannot be read.
    """
    errors = [MethodErrors(name, has_outline=outline) for name, (_, outline) in methods.items()]
    for sample in samples:
        truth = sample.points(origin)
        for own, (answer, _) in zip(errors, methods.values(), strict=True):
            own.add(answer(sample, truth), truth)
        step()
    return errors


def method_row(errors: MethodErrors, samples: Sequence[ProtocolSample], by_identity: bool) -> dict[str, Any]:
    """One row of the table, percent of the outer-eye distance; misses are counted and left out of the means.

    With `by_identity` (FaceScape) mean and variance are taken within each identity and then averaged over identities;
    otherwise overall = (boundary + 3 inner) / 4, for methods that tell outlines.
    """
    row: dict[str, Any] = {"method": errors.name, "misses": sum(e is None for e in errors.inner)}
    if by_identity:
        for name, values in (("inner51", errors.inner), ("all68", errors.all68)):
            people: dict[str, list[float]] = defaultdict(list)
            for sample, value in zip(samples, values, strict=True):
                if value is not None:
                    people[sample.group].append(100 * value)
            row[name] = _mean([float(np.mean(v)) for v in people.values()])
            row[f"{name}_variance"] = _mean([float(np.var(v)) for v in people.values()])
        return row
    inner = _mean([100 * e for e in errors.inner if e is not None])
    boundary = _mean([100 * e for e in errors.boundary if e is not None]) if errors.has_outline else None
    overall = None if boundary is None or inner is None else (boundary + 3 * inner) / 4
    return row | {"inner51": inner, "boundary": boundary, "overall": overall}


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def write_protocol(
    folder: Path, errors: Sequence[MethodErrors], samples: Sequence[ProtocolSample], by_identity: bool,
    about: dict[str, Any],
) -> list[dict[str, Any]]:  # fmt: skip
    """Writes table.md, report.json, ced.csv and ced.png; returns the table's rows.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = [method_row(e, samples, by_identity) for e in errors]
    (folder / "report.json").write_text(json.dumps({"methods": rows, **about}, indent=1) + "\n", encoding="utf-8")
    (folder / "table.md").write_text(table(rows), encoding="utf-8")
    second = "all68" if by_identity else "boundary"
    curves = {f"{e.name}: inner51": error_distribution(e.inner) for e in errors} | {
        f"{e.name}: {second}": error_distribution(e.all68 if by_identity else e.boundary)
        for e in errors
        if by_identity or e.has_outline
    }
    with (folder / "ced.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["threshold", *curves])
        for i, threshold in enumerate(next(iter(curves.values()))[0]):
            writer.writerow([f"{threshold:.5f}", *(f"{shares[i]:.5f}" for _, shares in curves.values())])
    _draw(folder / "ced.png", curves, ("inner51", second))
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = ["–" if v is None else f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _draw(
    path: Path, curves: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]], kinds: tuple[str, str]
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    for place, kind in enumerate(kinds):
        axes = figure.add_subplot(1, 2, place + 1)
        for name, (thresholds, shares) in curves.items():
            method, _, own = name.rpartition(": ")
            if own == kind:
                axes.plot(thresholds * 100, shares * 100, label=method)
        axes.set(xlabel="error in % of the outer-eye distance", ylabel="% of the pictures", title=kind)
        axes.set(xlim=(0, 10), ylim=(0, 100))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(loc="lower right")
    figure.savefig(path)
