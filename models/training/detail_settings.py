"""A training of the detail networks from its configuration: data, stages, export."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.face_model import load_face_model
from models.face_model.detail_map import DetailMap
from models.networks.detail_weights import detail_header, shipped_detail, teacher_header
from models.networks.mae import DetailMAE
from models.networks.presets import MAESettings, PresetName, preset
from models.networks.unet import TeacherUNet
from models.training.checkpoint import TrainingError
from models.training.data.people import load_people
from models.training.data.shards import Shards, write_shard
from models.training.data.wrinkle_faces import Skins, WrinkleFaces
from models.training.detail import DetailStage, DetailWeights, RealLessons
from models.training.export import export, load_best
from models.training.runs import runs_folder
from models.training.splits import load_splits
from models.training.teacher import TeacherStage, TeacherWeights

__all__ = ["DetailSettings", "detail_stage", "export_run", "make_faces", "run_of", "teacher_stage", "wait_for_faces"]

PER_SHARD = 100
LARGEST_AMPLITUDE, WANTED_CHANGE = 1.0, 0.85
"""Shares of the true amplitude that shipped weights are given: of relief at most, and of its change."""
LARGEST_GAIN = 2.0
"""What is fainter still has not learned enough to be shown."""
FIRST_SHARDS = 3
"""Shards of a hundred samples with which training begins while the rest is made."""


class DetailSettings(BaseModel):
    """What is trained, on what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: PresetName = "lite"
    """Size of the networks."""
    fusion: Literal["early", "decoder"] = "decoder"
    """Where tension joins."""
    masking_ratio: float = Field(default=0.0, ge=0, lt=1)
    """Share of the tokens that the encoder does not see; the paper's is zero."""
    samples: int = Field(default=6000, ge=100)
    """Synthetic faces."""
    held_out: int = Field(default=200, ge=1, le=1000)
    """Synthetic faces of the validation part to measure on."""
    crop_until: float = Field(default=0.6, ge=0, le=1)
    """Share of the run in which the student learns from crops."""
    real_begin: float = Field(default=0.6, ge=0, le=1)
    """Share of the run after which real people are mixed in; 1 never does."""
    real_share: float = Field(default=0.3, ge=0, le=1)
    """Share of the batches that show real people from then on."""
    weights: DetailWeights = DetailWeights()
    """Of the student's losses."""
    teacher_weights: TeacherWeights = TeacherWeights()
    """Of the teacher's losses."""
    name: str = ""
    """Added to the names of the runs, so that several can be compared."""
    teacher_of: str | None = None
    """The `name` of the run whose teacher the student learns from; its own run's by default."""

    @property
    def mae(self) -> MAESettings:
        """Of the student."""
        changed = {"fusion": self.fusion, "masking_ratio": self.masking_ratio}
        return preset(self.preset).mae.model_copy(update=changed)


def faces_folder(part: str) -> Path:
    return runs_folder() / "detail_shards" / part


def run_of(stage: Literal["teacher", "detail"], settings: DetailSettings) -> Path:
    """The folder of a run."""
    return runs_folder() / "_".join(filter(None, (stage, settings.preset, settings.name)))


def _teacher_run(settings: DetailSettings) -> Path:
    named = settings if settings.teacher_of is None else settings.model_copy(update={"name": settings.teacher_of})
    return run_of("teacher", named)


def make_faces(
    settings: DetailSettings,
    labels: Path,
    part: Literal["train", "validation"],
    step: Callable[[], None] = lambda: None,
) -> None:
    """Makes the shards that are missing; some ten samples a second.

    Raises:
        LabelFileError: the part's people are not labelled.
    """
    window = DetailMap(load_face_model())
    people = load_people(labels, runs_folder() / "textures", window, part)
    seeds = load_splits().detail.synthetic_seeds.part(part)
    faces = WrinkleFaces(window, Skins([face.rgb for face in people.neutral], window, seed=seeds[0]))
    count = min(settings.samples if part == "train" else settings.held_out, len(seeds))
    for number, start in enumerate(range(0, count, PER_SHARD)):
        path = faces_folder(part) / f"{number:05d}.npy"
        if not path.exists():
            write_shard(path, faces.sample, seeds[start : min(start + PER_SHARD, count)], step)


def wait_for_faces(making: Callable[[], bool]) -> None:
    """Blocks until there are enough synthetic faces to begin with.

    Raises:
        TrainingError: whoever made them stopped before.
    """
    while True:
        ready = len(list(faces_folder("train").glob("*.npy")))
        if ready and (ready >= FIRST_SHARDS or not making()) and list(faces_folder("validation").glob("*.npy")):
            return
        if not making():
            raise TrainingError(
                "No synthetic faces could be made, so there is nothing to learn from: see the message above."
            )
        time.sleep(1)


def teacher_stage(settings: DetailSettings) -> TeacherStage:
    """The teacher's stage; raises ValueError where there are no synthetic faces."""
    window = DetailMap(load_face_model())
    return TeacherStage(
        TeacherUNet(preset(settings.preset).unet), Shards(faces_folder("train")), Shards(faces_folder("validation")),
        window.mask, settings.teacher_weights,
    )  # fmt: skip


def detail_stage(settings: DetailSettings, labels: Path) -> DetailStage:
    """The student's stage.

    Raises:
        TrainingError: real people are wanted and there is no trained teacher.
        LabelFileError: they are not labelled.
        ValueError: there are no synthetic faces.
    """
    window = DetailMap(load_face_model())
    real = None
    if settings.real_begin < 1 and settings.real_share > 0:
        teacher = TeacherUNet(preset(settings.preset).unet)
        load_best(_teacher_run(settings), "teacher", teacher)
        people = load_people(labels, runs_folder() / "textures", window, "train")
        real = RealLessons(people, teacher, settings.real_begin, settings.real_share)
    return DetailStage(
        DetailMAE(settings.mae), Shards(faces_folder("train")), Shards(faces_folder("validation")), window.mask,
        settings.weights, real, crop_until=settings.crop_until,
    )  # fmt: skip


def visible_gain(relief: float, change: float) -> float:
    """By how much answers are amplified before they ship.

    A network that is not sure answers the mean of what may be, which is fainter than any wrinkle there is, and nobody
    sees it. Correlations do not change.

    Args:
        relief: spread of the answers as a share of the truth's, on held-out faces.
        change: the same of the change between two tensions, which is fainter.
    """
    wanted = min(LARGEST_AMPLITUDE / max(relief, 1e-3), WANTED_CHANGE / max(change, 1e-3))
    return min(max(1.0, wanted), LARGEST_GAIN)


def _held_out_figures(network: DetailMAE) -> dict[str, float] | None:
    """On all held-out faces, of which training looks at some only; None where they are gone."""
    if not list(faces_folder("validation").glob("*.npy")):
        return None
    faces = Shards(faces_folder("validation"))
    mask = DetailMap(load_face_model()).mask
    return DetailStage(network.eval(), faces, faces, mask, evaluated=len(faces)).evaluate()


def export_run(stage: Literal["teacher", "detail"], settings: DetailSettings, out: Path | None = None) -> Path:
    """Writes a run's best weights in half precision and returns where; by default the place of shipped weights.

    Raises:
        TrainingError: there are none yet.
        OSError: they cannot be written.
    """
    model, facts = load_face_model().name, {"stage": settings.model_dump(mode="json")}
    run = run_of(stage, settings)
    path = out or shipped_detail(settings.preset)
    if stage == "detail":
        network = DetailMAE(settings.mae)

        def finish(figures: Mapping[str, float]) -> dict[str, Any]:
            judged = _held_out_figures(network) or figures
            gain = visible_gain(judged["amplitude"], judged["delta_amplitude"])
            network.amplify(gain)
            return {"gain": round(gain, 4)}

        export(run, stage, network, detail_header(settings.mae, settings.preset, model, facts), path, finish)
        return path
    path = out or path.with_name(f"teacher_{settings.preset}.safetensors")
    unet = preset(settings.preset).unet
    export(run, stage, TeacherUNet(unet), teacher_header(unet, settings.preset, model, facts), path)
    return path
