"""All figures of the detail networks: synthetic truth, marks, real people, a scan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.evaluation.scan import LIGHTS, Scan, ScanView, light_scan, load_scan, view_scan
from app.jobs.track import Progress
from models.face_model.detail_map import DetailMap
from models.geometry.depth_map import depth_map, facing_cosines
from models.geometry.rotations import HEAD_TO_CAMERA
from models.geometry.unwrap import unwrap
from models.networks.mae import DetailMAE
from models.training.data.detail_shading import detail_normals
from models.training.data.labels import FaceLabel
from models.training.data.people import load_people
from models.training.data.strain import surface_maps
from models.training.data.textures import face_texture, landmark_pull
from models.training.data.wrinkle_faces import Skins, WrinkleFaces, network_image
from models.training.evaluation.answers import DetailAnswers
from models.training.evaluation.driven_detail import driven_figures
from models.training.evaluation.people_detail import drawn_line_figures, people_figures
from models.training.evaluation.photometric_detail import photometric_figures
from models.training.evaluation.synthetic_detail import mark_figures, truth_figures
from models.training.splits import load_splits
from tracking.still import StillTracker

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DetailEvaluation:
    """What to measure.

    Attributes:
        network: the student.
        labels: folder of label files, see `models.training.data.people`.
        cache: folder of unwrapped textures.
        scan: folder of a textured head scan, None measures none.
        people: synthetic people, the first seeds of the test part.
        marked: synthetic people for the marks.
        driven: synthetic people that are driven from pictures of a capture, where tension joins before the decoder.
        photometric: synthetic people on whom the photometric losses are compared with the network.
    """

    network: DetailMAE
    labels: Path
    cache: Path
    scan: Path | None
    people: int = 100
    marked: int = 24
    driven: int = 12
    photometric: int = 0


def run_detail(window: DetailMap, task: DetailEvaluation, progress: Progress) -> dict[str, Any]:
    """All figures, by group.

    Raises:
        LabelFileError: the labels of the test people are missing.
        CommandError: the scan cannot be read.
    """
    cv2.setNumThreads(1)
    # First, for it may not be readable, and the rest takes minutes.
    scan = None if task.scan is None else load_scan(task.scan)
    answers = DetailAnswers(task.network, window.mask)
    people = load_people(task.labels, task.cache, window, "test")
    seeds = load_splits().detail.synthetic_seeds.test
    skins = Skins([face.rgb for face in people.neutral], window, painted=8, seed=seeds[0])
    faces = WrinkleFaces(window, skins)
    total = task.people + task.marked + task.driven + len(people.pairs) + (len(LIGHTS) if task.scan else 0)
    total += 2 * task.photometric
    progress.start("detail", total)
    mean_rgb = np.mean([face.rgb for face in people.neutral], axis=0).astype(np.uint8)
    mean_skin = network_image(mean_rgb, np.median([face.visibility for face in people.neutral], axis=0))
    figures: dict[str, Any] = {
        "synthetic": truth_figures(answers, faces, range(seeds[0], seeds[0] + task.people), mean_skin, progress.step),
        "marks_over_wrinkles": mark_figures(
            answers, faces, skins, range(seeds[0] + 500, seeds[0] + 500 + task.marked), progress.step
        ),
        "real_people": people_figures(answers, window, people.pairs, progress.step),
        "line_on_flat_photo": drawn_line_figures(answers, people.neutral, skins.beard),
    }
    if task.network.settings.fusion == "decoder":
        driven = range(seeds[0] + 800, seeds[0] + 800 + task.driven)
        figures["driven"] = driven_figures(answers, faces, driven, progress.step)
    if task.photometric:
        few = range(seeds[0] + 900, seeds[0] + 900 + task.photometric)
        figures["photometric_losses"] = {
            name: photometric_figures(answers, faces, few, name == "side light", progress.step)
            for name in ("random light", "side light")
        }
    wrinkles = figures["marks_over_wrinkles"]["wrinkles_mm_per_log_contrast"]
    line = figures["line_on_flat_photo"]
    line["over_wrinkles_of_the_same_contrast"] = line["line_mm_per_log_contrast"] / wrinkles
    if scan is not None:
        figures["scan"] = scan_figures(window, answers, scan, progress)
    return figures


def scan_figures(window: DetailMap, answers: DetailAnswers, scan: Scan, progress: Progress) -> dict[str, float]:
    """Correlation of the slopes that displacement adds with those of the scan's normal map, for each light.

    Both are the x and y parts (camera frame) of what is added to the smooth normal, inside the detail mask where the
    camera sees the skin, with what changes slower than some twelve texels taken out.
    """
    view = view_scan(scan)
    figures = {}
    with StillTracker(model=window.model) as tracker:
        for name in LIGHTS:
            image = light_scan(view, name)
            found = tracker.detect(image)
            progress.step()
            if not found:
                figures[name] = float("nan")
                continue
            fitted = tracker.fit(found[0], image.shape[1], image.shape[0]).parameters
            label = FaceLabel(
                0, fitted.identity, fitted.expression, fitted.rotation, fitted.translation, fitted.gaze, fitted.camera,
                found[0].landmarks, found[0].scores, 1.0,
            )  # fmt: skip
            figures[name] = _slope_correlation(window, answers, view, image, label)
    return figures


def _slope_correlation(
    window: DetailMap, answers: DetailAnswers, view: ScanView, image: NDArray[np.uint8], label: FaceLabel
) -> float:
    face = face_texture(image, label, window)
    relief = answers.of_face(face)[0]
    maps = surface_maps(window, window.model.pose(label.identity, label.expression, label.gaze))
    added = detail_normals(relief, maps) - detail_normals(np.zeros_like(relief), maps)
    ours = (added @ (HEAD_TO_CAMERA @ label.rotation).T.astype(np.float32))[..., :2]
    # The scan's own slopes take the way of the picture: as three colours, unwrapped by the same fit.
    slopes = np.clip((view.fine - view.smooth) * 127 + 128, 0, 255).astype(np.uint8)
    theirs = (_unwrapped(window, slopes, label).astype(np.float32) - 128) / 127
    inside = (answers.mask > 0.5) & (face.visibility > 0.6)
    a, b = (np.concatenate([_fast(m[..., k], inside)[inside] for k in range(2)]) for m in (ours, theirs))
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-9 and b.std() > 1e-9 else 0.0


def _fast(values: NDArray[np.floating], inside: NDArray[np.bool_]) -> Floats:
    """Values less their mean over some twelve texels; texels outside do not count in it."""
    weights = inside.astype(np.float32)
    summed = cv2.GaussianBlur(np.where(inside, values, 0).astype(np.float32), (0, 0), 12.0)
    return np.asarray(values - summed / np.maximum(cv2.GaussianBlur(weights, (0, 0), 12.0), 1e-3), np.float32)


def _unwrapped(window: DetailMap, image: NDArray[np.uint8], label: FaceLabel) -> NDArray[np.uint8]:
    model = window.model
    label = replace(label)
    posed = model.pose(label.identity, label.expression, label.gaze)
    points = label.camera.to_camera(posed.vertices, label.rotation, label.translation)
    pixels = label.camera.project(points, float(label.translation[2]))
    pixels = pixels + landmark_pull(model, label, posed.vertices, pixels)
    normals = posed.normals @ (HEAD_TO_CAMERA @ label.rotation).T.astype(np.float32)
    seen = depth_map(pixels, points[:, 2], model.faces, size=512)
    smooth = cv2.GaussianBlur(image, (0, 0), 1.0)
    facing = facing_cosines(points, normals)
    return unwrap(np.asarray(smooth, np.uint8), window.raster, model.faces, pixels, points[:, 2], facing, seen)[0]
