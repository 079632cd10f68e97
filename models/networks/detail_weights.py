"""The detail networks' weights: where they lie, and how a network is made from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.networks.presets import MAESettings, PresetName, UNetSettings
from models.networks.stored import WeightsError, WeightsHeader, check_header, read_header, read_weights

if TYPE_CHECKING:
    from models.networks.mae import DetailMAE
    from models.networks.unet import TeacherUNet

__all__ = ["DETAIL", "TEACHER", "detail_header", "load_detail", "load_teacher", "shipped_detail", "teacher_header"]

DETAIL, TEACHER = "detail-mae", "teacher-unet"
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"


def shipped_detail(preset: PresetName) -> Path:
    """Where the weights of a preset lie, if they ship."""
    return WEIGHTS / f"detail_{preset}.safetensors"


def detail_header(settings: MAESettings, preset: PresetName, face_model: str, facts: dict[str, Any]) -> WeightsHeader:
    """The header of a student's weights; `facts` for the model card."""
    return WeightsHeader(
        network=DETAIL, preset=preset, face_model=face_model, settings=settings.model_dump(mode="json"), training=facts
    )


def teacher_header(settings: UNetSettings, preset: PresetName, face_model: str, facts: dict[str, Any]) -> WeightsHeader:
    """The header of a teacher's weights; `facts` for the model card."""
    return WeightsHeader(
        network=TEACHER, preset=preset, face_model=face_model, settings=settings.model_dump(mode="json"), training=facts
    )


def load_detail(path: Path, face_model: str | None = None) -> tuple[DetailMAE, WeightsHeader]:
    """A student from its file, in evaluation mode.

    Raises:
        WeightsError: the file is missing, damaged, or for another network or face model.
    """
    from models.networks.mae import DetailMAE

    header = read_header(path)
    check_header(path, header, DETAIL, face_model)
    try:
        network = DetailMAE(MAESettings.model_validate(header.settings))
    except ValueError as error:
        raise WeightsError(
            f"{path.name} was written by another version of Mien: update Mien or train again."
        ) from error
    read_weights(path, network)
    return network.eval(), header


def load_teacher(path: Path, face_model: str | None = None) -> tuple[TeacherUNet, WeightsHeader]:
    """A teacher from its file, in evaluation mode; raises as `load_detail`."""
    from models.networks.unet import TeacherUNet

    header = read_header(path)
    check_header(path, header, TEACHER, face_model)
    try:
        network = TeacherUNet(UNetSettings.model_validate(header.settings))
    except ValueError as error:
        raise WeightsError(
            f"{path.name} was written by another version of Mien: update Mien or train again."
        ) from error
    read_weights(path, network)
    return network.eval(), header
