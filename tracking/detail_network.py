"""The detail student at run time: a person's skin encoded once, its relief decoded for each expression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.engines.base import Floats, NetworkSpec
from models.engines.choose import ChosenEngine, load_engine
from models.networks.detail_weights import DETAIL, load_detail, shipped_detail
from models.networks.presets import MAESettings
from models.networks.stored import WeightsError, WeightsHeader, check_header, read_header, weights_hash

if TYPE_CHECKING:
    from torch import nn

LIMIT_MM = 10.0
"""The format's limit of displacement."""


@dataclass(frozen=True, slots=True)
class EncodedSkin:
    """What the network knows of a person's skin; costs of driving it are the decoder's alone.

    Attributes:
        parts: the encoder's answers.
    """

    parts: tuple[Floats, ...]


class DetailNetwork:
    """Encoder and decoder, each on its own engine. Not thread-safe.

    Args:
        face_model: name of the face model in use; the weights must have been trained for it.
        weights: file; by default the shipped `lite` ones.
        engine: see `load_engine`.
        threads: of the processor.

    Raises:
        WeightsError: the weights cannot be used.
        EngineError: no engine runs them.
    """

    def __init__(
        self, face_model: str, weights: Path | None = None, engine: str = "auto", threads: int | None = 1
    ) -> None:
        path = weights or shipped_detail("lite")
        self.header = read_header(path)
        check_header(path, self.header, DETAIL, face_model=face_model)
        encoder, decoder = detail_specs(path, self.header)
        self.size = encoder.inputs["image"][2]
        self.encoder: ChosenEngine = load_engine(encoder, engine, threads)
        self.decoder: ChosenEngine = load_engine(decoder, engine, threads)

    @property
    def text(self) -> str:
        """Preset and engine of what runs in every picture, for people."""
        return f"{self.header.preset}, {self.decoder.text}"

    def encode(self, rgb: NDArray[np.uint8], visibility: Floats) -> EncodedSkin:
        """The skin of a picture.

        Args:
            rgb: (S, S, 3) uint8 sRGB over the detail window, hidden texels filled.
            visibility: (S, S) in 0..1.

        Raises:
            EngineError: the device failed.
        """
        image = np.empty((1, 4, self.size, self.size), np.float32)
        image[0, :3] = rgb.transpose(2, 0, 1)
        image[0, :3] *= np.float32(1 / 255)
        image[0, 3] = visibility
        return EncodedSkin(self.encoder.engine.run(image))

    def decode(self, skin: EncodedSkin, tension: Floats) -> Floats:
        """(S, S) millimetres along the outward normal of a skin under a tension map (S, S).

        Raises:
            EngineError: the device failed.
        """
        answer = self.decoder.engine.run(*skin.parts, np.ascontiguousarray(tension[None, None], np.float32))[0]
        return np.asarray(np.clip(answer[0, 0], -LIMIT_MM, LIMIT_MM), np.float32)


def detail_specs(path: Path, header: WeightsHeader) -> tuple[NetworkSpec, NetworkSpec]:
    """Encoder and decoder of stored weights as engines take them.

    Raises:
        WeightsError: the header's settings are of another version.
    """
    try:
        settings = MAESettings.model_validate(header.settings)
    except ValueError as error:
        raise WeightsError(
            f"{path.name} was written by another version of Mien: update Mien or train again."
        ) from error
    size, shapes = settings.image_size, settings.encoded_shapes
    mark = weights_hash(path)
    parts = {f"part{i}": shape for i, shape in enumerate(shapes)}
    encoder = NetworkSpec(
        f"detail-encoder-{header.preset}", mark, {"image": (1, 4, size, size)}, len(shapes),
        lambda: _part(path, "DetailEncoder"),
    )  # fmt: skip
    decoder = NetworkSpec(
        f"detail-decoder-{header.preset}", mark, parts | {"tension": (1, 1, size, size)}, 1,
        lambda: _part(path, "DetailDecoder"), relative=(1.0,) * len(shapes) + (0.2,),
    )  # fmt: skip
    return encoder, decoder


def _part(path: Path, name: str) -> nn.Module:
    from models.networks import detail_parts

    network, _ = load_detail(path)
    part: Any = getattr(detail_parts, name)
    made: nn.Module = part(network)
    return made
