"""`train coarse`: trains the coarse ViT."""

from __future__ import annotations

import multiprocessing
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.cli.console import parse
from app.cli.training import report_progress
from app.errors import CommandError
from models.training.loop import LoopSettings
from models.training.runs import runs_folder


class Options(BaseModel):
    """Train the coarse network on rendered faces and labelled photographs.

    Renders what pictures are missing in a process of its own while it trains. A run goes on from its checkpoint by
    itself; a finished one is exported with --action export.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: Path
    """TOML file with the tables [stage], [loop] and [data]; see models/training/configs."""
    name: str = "coarse_lite"
    """Of the run, a folder in MIEN_RUNS."""
    minutes: float | None = Field(default=None, gt=0)
    """Instead of the configuration's."""
    device: str | None = None
    """cpu or cuda, instead of the configuration's."""
    labels: Path | None = None
    """Folder of label files of photographs, see `label`; none trains on rendered faces alone."""
    start: Path | None = None
    """Weights of a fresh run: best.safetensors of another, or a weights file."""
    action: Literal["train", "pictures", "export"] = "train"
    """Train; render the pictures alone; or export the best weights so far."""
    out: Path | None = None
    """Where --action export writes, by default the shipped weights of the preset."""


class DataSettings(BaseModel):
    """What is rendered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(default=25_000, ge=1)
    """Rendered people to train on, four pictures each."""
    held_out_people: int = Field(default=250, ge=1)
    """Rendered people to measure on."""


def run(args: Sequence[str], prog: str) -> int:
    """Train; returns the exit status."""
    options = parse(Options, args, prog)
    from models.training.coarse import CoarseSettings

    tables = _tables(options.config)
    try:
        stage = CoarseSettings.model_validate(tables.get("stage", {}))
        loop = LoopSettings.model_validate(tables.get("loop", {}))
        data = DataSettings.model_validate(tables.get("data", {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CommandError(f"{options.config}: {where}: {first['msg']}.") from error
    changed = {"minutes": options.minutes, "device": options.device}
    loop = loop.model_copy(update={k: v for k, v in changed.items() if v is not None})
    folder = runs_folder() / options.name
    if options.action == "export":
        return _export(stage, folder, options.out)
    renderer = multiprocessing.get_context("spawn").Process(
        target=_render, args=(data.people, data.held_out_people, options.labels), daemon=True
    )
    renderer.start()
    try:
        if options.action == "pictures":
            renderer.join()
            return renderer.exitcode or 0
        return _train(stage, loop, folder, options.labels, options.start)
    finally:
        if renderer.is_alive():
            renderer.terminate()


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandError(f"The configuration {path} cannot be read: {error}.") from error


def _pictures(part: str) -> Path:
    return runs_folder() / "data" / f"coarse_{part}"


def _render(people: int, held_out: int, labels: Path | None) -> None:
    """In a process of its own, with the lowest priority: training goes first."""
    if hasattr(os, "nice"):
        os.nice(10)
    from models.training.data.coarse_shards import render_shards
    from models.training.data.coarse_skins import photographed_skins
    from models.training.splits import load_splits
    from tracking.threads import use_one_thread

    use_one_thread()
    seeds = load_splits().synthetic_seeds
    skins = None if labels is None else photographed_skins(labels, runs_folder() / "textures")
    first = seeds.validation[0]
    render_shards(_pictures("validation"), range(first, first + held_out))
    first = seeds.train[0]
    render_shards(_pictures("train"), range(first, first + people), textures=skins)


def _train(stage_settings: Any, loop: LoopSettings, folder: Path, labels: Path | None, start: Path | None) -> int:
    import cv2

    from models.networks.presets import preset
    from models.training.coarse import CoarseStage
    from models.training.imitation import ImitationStage
    from models.training.loop import Stage, run_training

    cv2.setNumThreads(1)
    train, held_out = _pictures("train"), _pictures("validation")
    stage: Stage
    if stage_settings.imitation is None:
        stage = CoarseStage(stage_settings, train, held_out, labels, start=start)
    else:
        stage = ImitationStage(
            stage_settings.imitation, preset(stage_settings.preset).vit, stage_settings.image_size,
            stage_settings.photo_share, train, held_out, labels, start=start,
        )  # fmt: skip
    figures = run_training(stage, loop, folder, on_progress=report_progress)
    for key, value in figures.items():
        print(f"{key:22} {value:.4g}")
    print(f"Curves, sheets and the best weights are in {folder}.")
    return 0


def _export(stage: Any, folder: Path, out: Path | None) -> int:
    import torch

    from models.face_model import load_face_model
    from models.networks.presets import preset
    from models.networks.stored import WeightsHeader
    from models.networks.vit import CoarseLayout, CoarseViT
    from models.training.coarse import CoarseStage
    from models.training.export import export, load_best
    from tracking.coarse import NETWORK, coarse_weights

    settings, layout = preset(stage.preset).vit, CoarseLayout()
    header = WeightsHeader(
        network=NETWORK,
        preset=stage.preset,
        face_model=load_face_model().name,
        settings=settings.model_dump(mode="json"),
        extra={"crop_pixels": stage.image_size, "layout": {"identity": layout.identity, "albedo": layout.albedo}},
    )
    path = out or coarse_weights(stage.preset)
    network = CoarseViT(settings, layout)
    load_best(folder, "vit", network)
    # How sure the network may be of each channel is measured once, here, on people it never saw.
    measured = CoarseStage(stage, _pictures("validation"), _pictures("validation"), wait_s=0.0)
    measured.vit = network
    with torch.no_grad():
        channels, rotation = measured.channel_errors()
    extra = header.extra | {"channel_sigma": [round(v, 4) for v in channels], "rotation_sigma": round(rotation, 4)}
    export(folder, "vit", network, header.model_copy(update={"extra": extra}), path)
    print(f"Exported {path}, {path.stat().st_size / 1e6:.1f} MB.")
    return 0
