"""Weights files of tiny untrained networks."""

from __future__ import annotations

from pathlib import Path

import torch

from models.face_model import load_face_model
from models.networks.detail_weights import detail_header
from models.networks.mae import DetailMAE
from models.networks.presets import MAESettings, ViTSettings
from models.networks.stored import WeightsHeader, write_weights
from models.networks.vit import CoarseViT
from tracking.coarse import NETWORK

COARSE = ViTSettings(image_size=64, dim=64, heads=4, depth=1, stem="convolutional", points=70, glimpses=16)
DETAIL = MAESettings(
    encoder_dim=32, encoder_heads=2, encoder_depth=1, decoder_dim=32, decoder_heads=2, decoder_depth=1,
    stem="convolutional", refine=True,
)  # fmt: skip


def write_coarse(path: Path) -> Path:
    """A coarse network; returns the path."""
    torch.manual_seed(0)
    extra = {
        "crop_pixels": 64, "layout": {"identity": 100, "albedo": 16},
        "channel_sigma": [0.2] * 52, "rotation_sigma": 0.1,
    }  # fmt: skip
    header = WeightsHeader(
        network=NETWORK, preset="lite", face_model=load_face_model().name, settings=COARSE.model_dump(), extra=extra
    )
    write_weights(path, CoarseViT(COARSE), header)
    return path


def write_detail(path: Path) -> Path:
    """A detail network; returns the path."""
    torch.manual_seed(0)
    write_weights(path, DetailMAE(DETAIL), detail_header(DETAIL, "lite", load_face_model().name, {}))
    return path
