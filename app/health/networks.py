"""Checks of the learned core: are the weights there, what size are they, and what runs them here."""

from __future__ import annotations

from pathlib import Path

from app.health.check import Check, Level
from app.learned_core import engine_sentence

__all__ = ["check_coarse_network", "check_detail_network"]


def check_coarse_network(weights: Path | None = None) -> Check:
    """The coarse network, by default with the shipped weights."""
    name = "coarse network"
    from models.engines.base import EngineError
    from models.face_model import load_face_model
    from models.networks.stored import WeightsError
    from tracking.coarse import CoarsePredictor, coarse_weights

    path = weights or coarse_weights()
    if not path.is_file():
        return _missing(name, path, "Tracking by detector and fit works without it.")
    try:
        predictor = CoarsePredictor(load_face_model(), path)
    except (WeightsError, EngineError) as error:
        return Check(name, Level.MISSING, str(error), "Tracking by detector and fit works without it.")
    found = f"{_there(path)} Preset {predictor.header.preset} on {engine_sentence(predictor.chosen)}."
    return Check(name, Level.OK, found)


def check_detail_network(weights: Path | None = None) -> Check:
    """Encoder and decoder of the detail network, by default with the shipped weights."""
    name = "detail network"
    from models.engines.base import EngineError
    from models.face_model import load_face_model
    from models.networks.detail_weights import shipped_detail
    from models.networks.stored import WeightsError
    from tracking.detail_network import DetailNetwork

    path = weights or shipped_detail("lite")
    if not path.is_file():
        return _missing(name, path, "Faces are shown without wrinkles.")
    try:
        network = DetailNetwork(load_face_model().name, path)
    except (WeightsError, EngineError) as error:
        return Check(name, Level.MISSING, str(error), "Faces are shown without wrinkles.")
    found = (
        f"{_there(path)} Preset {network.header.preset}; encoder on {engine_sentence(network.encoder)}; "
        f"decoder on {engine_sentence(network.decoder)}."
    )
    return Check(name, Level.OK, found)


def _there(path: Path) -> str:
    return f"The weights {path.name} are there ({path.stat().st_size / 1e6:.1f} MB)."


def _missing(name: str, path: Path, instead: str) -> Check:
    return Check(name, Level.MISSING, f"The weights {path.name} are not there.", f"Install Mien again. {instead}")
