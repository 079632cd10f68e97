"""Running a tracker over annotated pictures, and the report of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.machine import machine_facts
from models.geometry.outline import FaceOutline
from recordings.versions import software_versions
from tracking import FaceObservation, StillTracker
from tracking.evaluation.annotations import AnnotatedPicture
from tracking.evaluation.landmark_errors import (
    LandmarkErrors,
    adapted_errors,
    aligned_residual,
    boundary_error,
    error_distribution,
    inner_error,
    summarise,
)
from tracking.points import project_embedding
from tracking.sources import load_image

OUTLINE_MAP = 256


class LandmarkEvaluator:
    """Measures a still tracker on one annotated picture after another.

    Args:
        tracker: finds and fits the faces.
    """

    def __init__(self, tracker: StillTracker) -> None:
        self._tracker = tracker
        model = tracker.model
        self._outline = FaceOutline(model.faces, model.vertex_count, model.regions["outline"], map_size=OUTLINE_MAP)

    def measure(self, sample: AnnotatedPicture, pts_origin: int = 0) -> LandmarkErrors:
        """The errors on one picture; of several faces the one nearest the annotated one counts.

        Raises:
            SourceError: the picture or its annotation cannot be read.
        """
        image = load_image(sample.picture)
        truth = sample.points(pts_origin)
        faces = self._tracker.detect(image)
        if not faces:
            return LandmarkErrors(sample.name)
        fitted = self._tracker.estimate(image, nearest(faces, truth))
        model = self._tracker.model
        posed = model.pose(fitted.identity, fitted.expression, fitted.gaze)
        points = project_embedding(model, fitted, posed.vertices, model.landmarks68).astype(np.float64)
        outline = self._outline.exact(
            posed.vertices, fitted.rotation, fitted.translation, fitted.camera, normals=posed.normals
        )
        return LandmarkErrors(
            sample.name,
            inner_error(points, truth),
            boundary_error(outline.pixels, truth),
            aligned_residual(points, truth),
        )


def nearest(faces: Sequence[FaceObservation], truth: NDArray[np.floating]) -> FaceObservation:
    """The face whose centre is nearest to that of the annotated points (68, 2)."""
    centre = (truth.min(axis=0) + truth.max(axis=0)) / 2
    return min(faces, key=lambda face: float(np.linalg.norm((face.box[:2] + face.box[2:]) / 2 - centre)))


def evaluate_landmarks(
    samples: Sequence[AnnotatedPicture],
    tracker: StillTracker,
    *,
    pts_origin: int = 0,
    step: Callable[[], None] = lambda: None,
) -> list[LandmarkErrors]:
    """The errors on each picture, in their order; `step` is called after each.

    Raises:
        SourceError: a picture or an annotation cannot be read.
    """
    evaluator = LandmarkEvaluator(tracker)
    errors = []
    for sample in samples:
        errors.append(evaluator.measure(sample, pts_origin))
        step()
    return errors


def landmark_report(errors: Sequence[LandmarkErrors], about: dict[str, Any]) -> dict[str, Any]:
    """The content of report.json: the summary's keys, `images`, `per_image`, and what it was measured with.

    Raises:
        ValueError: there are no pictures.
    """
    summary = asdict(summarise(errors))
    residuals = [e.residual for e in errors if e.residual is not None]
    adapted = iter(adapted_errors(residuals))
    per_image = [
        {
            "name": e.name,
            "found": e.inner is not None,
            "inner51": e.inner,
            "inner51_adapted": next(adapted) if e.residual is not None else None,
            "boundary": e.boundary,
        }
        for e in errors
    ]
    return {
        **{key: list(value) if isinstance(value, tuple) else value for key, value in summary.items()},
        "images": len(errors),
        "per_image": per_image,
        **about,
        "versions": software_versions(),
        "machine": machine_facts(),
    }


def write_landmark_report(folder: Path, errors: Sequence[LandmarkErrors], about: dict[str, Any]) -> dict[str, Any]:
    """Write report.json, and the curves of inner 51 and boundary as ced.csv and ced.png; returns the report.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = landmark_report(errors, about)
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    curves = {
        "inner51": error_distribution([e.inner for e in errors]),
        "boundary": error_distribution([e.boundary for e in errors]),
    }
    with (folder / "ced.csv").open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["threshold", *curves])
        thresholds = next(iter(curves.values()))[0]
        for i, threshold in enumerate(thresholds):
            writer.writerow([f"{threshold:.5f}", *(f"{shares[i]:.5f}" for _, shares in curves.values())])
    _draw(folder / "ced.png", curves, report)
    return report


def _draw(
    path: Path, curves: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]], report: dict[str, Any]
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    means = {"inner51": report["nme_inner51"], "boundary": report["boundary"]}
    for name, (thresholds, shares) in curves.items():
        axes.plot(thresholds * 100, shares * 100, label=f"{name}, mean {means[name] * 100:.2f} %")
    axes.set(
        xlabel="error in % of the outer-eye distance",
        ylabel="% of the pictures",
        title=f"Cumulative error distribution, {report['images']} pictures",
        xlim=(0, 10),
        ylim=(0, 100),
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path)
