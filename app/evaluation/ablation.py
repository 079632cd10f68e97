"""The trainings of `evaluate ablation`, one after another, and the sheet that shows what the teacher is good for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.tools.detail_sheet import TILE, clay, face_photo
from models.face_model.detail_map import DetailMap
from models.networks.detail_weights import load_teacher
from models.networks.presets import preset
from models.networks.unet import TeacherUNet
from models.training.ablation import (
    DETAIL_LOOP,
    DETAIL_SWITCHES,
    TEACHER_LOOP,
    DetailParts,
    Trained,
    timed,
    train_detail,
    train_teacher,
)
from models.training.ablation_coarse import COARSE_LOOP, SILHOUETTE_WEIGHT, OutlinedStage, train_coarse
from models.training.coarse import CoarseSettings
from models.training.data.coarse_shards import render_shards
from models.training.data.people import RealPeople, load_people
from models.training.data.shards import Shards
from models.training.detail import RealLessons
from models.training.detail_settings import DetailSettings, faces_folder, make_faces
from models.training.detail_sheet import relief_tile
from models.training.evaluation.answers import DetailAnswers
from models.training.evaluation.people_detail import people_figures
from models.training.loop import Progress
from models.training.runs import runs_folder
from models.training.splits import load_splits

__all__ = ["Ablation", "Part", "run_ablation", "teacher_sheet"]

Image = NDArray[np.uint8]
Part = Literal["teacher", "symmetry", "silhouette", "tension"]
Say = Callable[[str], None]

SHOWN = 3
"""People on the sheet."""
REAL_BEGIN, REAL_SHARE = 0.2, 0.4
"""Real people come sooner and oftener than in a full training, which has more time."""
COARSE_PEOPLE, COARSE_HELD_OUT = 400, 50
"""Rendered people, four pictures each, where no training has rendered more."""


@dataclass(frozen=True, slots=True)
class Ablation:
    """What is trained.

    Attributes:
        parts: what is taken away, one at a time.
        labels: folder of label files of real people.
        minutes, steps: length of each training, one of the two.
        device: cpu or cuda.
        teacher: weights of a trained teacher; None trains one first.
        samples, held_out: synthetic faces, made where they are missing.
    """

    parts: tuple[Part, ...]
    labels: Path
    minutes: float | None
    steps: int | None
    device: str = "cpu"
    teacher: Path | None = None
    samples: int = 1000
    held_out: int = 100


def run_ablation(
    task: Ablation, window: DetailMap, say: Say, report: Callable[[Progress], None]
) -> tuple[dict[str, Any], dict[str, Trained]]:
    """All figures by name of the training, and the detail networks by the same names.

    Raises:
        TrainingError, LabelFileError, WeightsError: something that is needed cannot be had.
    """
    folder = runs_folder() / "ablation"
    figures: dict[str, Any] = {}
    networks: dict[str, Trained] = {}
    switches = [s for s in DETAIL_SWITCHES if s in task.parts]
    if switches:
        parts = _detail_parts(task, window, folder, say, report)
        people = load_people(task.labels, runs_folder() / "textures", window, "test")
        loop = timed(DETAIL_LOOP, task.minutes, task.steps, task.device)
        for switch in (None, *switches):
            name = "all" if switch is None else f"without {switch}"
            say(f"Detail, {name}.")
            trained = train_detail(switch, parts, loop, folder / name.replace(" ", "_"), report)
            networks[name] = trained
            length = {"steps": trained.steps, "minutes": trained.minutes}
            figures[f"detail, {name}"] = length | trained.figures | _of_people(trained, window, people)
    if "silhouette" in task.parts:
        figures |= _coarse(task, folder, say, report)
    return figures, networks


def _detail_parts(
    task: Ablation, window: DetailMap, folder: Path, say: Say, report: Callable[[Progress], None]
) -> DetailParts:
    settings = DetailSettings(samples=task.samples, held_out=task.held_out)
    say("Synthetic faces, where they are missing.")
    make_faces(settings, task.labels, "validation")
    make_faces(settings, task.labels, "train")
    shards, held_out = Shards(faces_folder("train")), Shards(faces_folder("validation"))
    if task.teacher is not None:
        teacher, _ = load_teacher(task.teacher, window.model.name)
    else:
        teacher = TeacherUNet(preset(settings.preset).unet)
        say("The teacher.")
        loop = timed(TEACHER_LOOP, task.minutes, task.steps, task.device)
        train_teacher(teacher, (shards, held_out, window.mask), loop, folder / "teacher", report)
    people = load_people(task.labels, runs_folder() / "textures", window, "train")
    lessons = RealLessons(people, teacher, REAL_BEGIN, REAL_SHARE)
    return DetailParts(shards, held_out, window.mask, lessons, settings.mae, settings.weights)


def _of_people(trained: Trained, window: DetailMap, people: RealPeople) -> dict[str, float]:
    """Figures of the test people: smile folds, leakage, own tension."""
    found = people_figures(DetailAnswers(trained.network, window.mask), window, people.pairs)
    flat: dict[str, float] = {}
    for group in ("nasolabial", "leakage_over_smile_fold", "tension"):
        values = found[group]
        if isinstance(values, dict):
            flat |= {f"{group}: {key}": value for key, value in values.items()}
    return flat


def _coarse(task: Ablation, folder: Path, say: Say, report: Callable[[Progress], None]) -> dict[str, Any]:
    pictures, held_out = (runs_folder() / "data" / f"coarse_{part}" for part in ("train", "validation"))
    say("Rendered faces, where they are missing.")
    seeds = load_splits().synthetic_seeds
    for place, first, count in (
        (pictures, seeds.train[0], COARSE_PEOPLE),
        (held_out, seeds.validation[0], COARSE_HELD_OUT),
    ):
        if not any(place.glob("*")):
            render_shards(place, range(first, first + count))
    loop = timed(COARSE_LOOP, task.minutes, task.steps, task.device)
    figures = {}
    for name, weight in (("with silhouette", SILHOUETTE_WEIGHT), ("without silhouette", 0.0)):
        say(f"Coarse, {name}.")
        stage = OutlinedStage(CoarseSettings(), pictures, held_out, weight)
        figures[f"coarse, {name}"] = train_coarse(stage, loop, folder / name.replace(" ", "_"), report)
    return figures


def teacher_sheet(task: Ablation, window: DetailMap, networks: dict[str, Trained]) -> Image:
    """(H, W, 3): three smiling test people: picture; clay and displacement without the teacher, and with it.

    The people are those whose smiles fold most by the answer of the training with everything.
    """
    pairs = load_people(task.labels, runs_folder() / "textures", window, "test").pairs
    without, everything = (
        DetailAnswers(networks[name].network.cpu(), window.mask) for name in ("without teacher", "all")
    )
    smiles = [smiling for _, smiling in pairs]
    depth = [float(np.abs(everything.of_face(face)[0]).mean()) for face in smiles]
    rows = []
    for index in np.argsort(depth)[::-1][:SHOWN]:
        face = smiles[int(index)]
        posed = window.model.pose(face.identity, face.expression)
        row = [face_photo(task.labels, face.person)]
        for answers in (without, everything):
            relief = answers.of_face(face)[0]
            row += [clay(window, posed, relief), _resized(relief_tile(relief))]
        rows.append(np.hstack(row))
    titles = ("input", "without L_TchT", "displacement", "with L_TchT", "displacement")
    return np.vstack([_header(titles), *rows])


def _resized(tile: Image) -> Image:
    return np.asarray(cv2.resize(tile, (TILE, TILE), interpolation=cv2.INTER_AREA), np.uint8)


def _header(titles: tuple[str, ...]) -> Image:
    header = np.full((32, TILE * len(titles), 3), 255, np.uint8)
    for column, title in enumerate(titles):
        place = (column * TILE + 8, 22)
        cv2.putText(header, title, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
    return header
