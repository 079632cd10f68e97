"""`train teacher` and `train detail`: train the detail networks."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.cli.console import parse
from app.cli.training import report_progress
from app.errors import CommandError

if TYPE_CHECKING:
    from models.training.detail_settings import DetailSettings
    from models.training.loop import LoopSettings


class Options(BaseModel):
    """Train the detail network, or its teacher, on synthetic faces with known relief and on labelled photographs.

    Makes what synthetic faces are missing in a process of its own while it trains. A run goes on from its checkpoint by
    itself. Train the teacher first: the detail network learns from what it says of real people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: Path
    """TOML file with the tables [stage], [teacher_loop] and [loop]; see models/training/configs."""
    labels: Path
    """Folder of label files that `label` wrote: london/neutral, london/smiling, canada_set."""
    minutes: float | None = Field(default=None, gt=0)
    """Instead of the configuration's."""
    device: str | None = None
    """cpu or cuda, instead of the configuration's."""
    start: Path | None = None
    """Weights that a new run starts from, instead of random ones: best.safetensors of another, or a weights file."""
    action: Literal["train", "faces", "export"] = "train"
    """Train; make the synthetic faces alone; or export the best weights so far."""
    out: Path | None = None
    """Where --action export writes, by default the shipped weights of the preset."""


def run_teacher(args: Sequence[str], prog: str) -> int:
    """Train the teacher; returns the exit status."""
    return _run("teacher", args, prog)


def run_detail(args: Sequence[str], prog: str) -> int:
    """Train the detail network; returns the exit status."""
    return _run("detail", args, prog)


def _run(stage: Literal["teacher", "detail"], args: Sequence[str], prog: str) -> int:
    options = parse(Options, args, prog)
    settings, loop = _configuration(options, stage)
    if options.action == "export":
        return _export(stage, settings, options.out)
    maker = multiprocessing.get_context("spawn").Process(
        target=_make_faces, args=(settings, options.labels), daemon=True
    )
    maker.start()
    try:
        if options.action == "faces":
            maker.join()
            return maker.exitcode or 0
        return _train(stage, settings, loop, options, maker.is_alive)
    finally:
        if maker.is_alive():
            maker.terminate()


def _configuration(options: Options, stage: str) -> tuple[DetailSettings, LoopSettings]:
    from models.training.detail_settings import DetailSettings
    from models.training.loop import LoopSettings

    try:
        tables = tomllib.loads(options.config.read_text(encoding="utf-8"))
        settings = DetailSettings.model_validate(tables.get("stage", {}))
        loop = LoopSettings.model_validate(tables.get("teacher_loop" if stage == "teacher" else "loop", {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CommandError(f"{options.config}: {where}: {first['msg']}.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandError(f"The configuration {options.config} cannot be read: {error}.") from error
    changed = {"minutes": options.minutes, "device": options.device}
    return settings, loop.model_copy(update={k: v for k, v in changed.items() if v is not None})


def _make_faces(settings: DetailSettings, labels: Path) -> None:
    """In a process of its own, with low priority: training goes first."""
    if hasattr(os, "nice"):
        os.nice(10)
    from models.training.data.labels import LabelFileError
    from models.training.detail_settings import make_faces
    from tracking.threads import use_one_thread

    use_one_thread()
    try:
        make_faces(settings, labels, "validation")
        make_faces(settings, labels, "train")
    except LabelFileError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


def _train(
    stage: Literal["teacher", "detail"],
    settings: DetailSettings,
    loop: LoopSettings,
    options: Options,
    making: Callable[[], bool],
) -> int:
    import cv2
    import torch

    from models.training.detail_settings import detail_stage, run_of, teacher_stage, wait_for_faces
    from models.training.export import start_from
    from models.training.loop import Stage, run_training

    cv2.setNumThreads(1)
    torch.manual_seed(loop.seed)
    wait_for_faces(making)
    built: Stage = teacher_stage(settings) if stage == "teacher" else detail_stage(settings, options.labels)
    if options.start is not None:
        # A run that has a checkpoint goes on from that.
        start_from(options.start, stage, built.networks[stage])
    folder = run_of(stage, settings)
    figures = run_training(built, loop, folder, on_progress=report_progress)
    for key, value in figures.items():
        print(f"{key:22} {value:.4g}")
    print(f"Curves, sheets and the best weights are in {folder}.")
    return 0


def _export(stage: Literal["teacher", "detail"], settings: DetailSettings, out: Path | None) -> int:
    from models.training.detail_settings import export_run

    path = export_run(stage, settings, out)
    print(f"Exported {path}, {path.stat().st_size / 1e6:.1f} MB.")
    return 0
