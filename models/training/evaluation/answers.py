"""Asking the detail networks for displacement, in numpy."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.networks.detail_convolutions import Encoding
from models.networks.mae import DetailMAE
from models.training.data.textures import FaceTexture
from models.training.data.wrinkle_faces import network_image

__all__ = ["DetailAnswers"]

Floats = NDArray[np.float32]


class DetailAnswers:
    """D(I, T) of a trained student, masked.

    Args:
        network: the student.
        mask: (256, 256), see `DetailMap.mask`.

    Attributes:
        network, mask: as given.
        device: where the network is.
    """

    def __init__(self, network: DetailMAE, mask: Floats) -> None:
        self.network = network.eval()
        self.mask = mask
        self.device = next(network.parameters()).device

    def __call__(self, image: Floats, tension: Floats) -> Floats:
        """(256, 256) millimetres of a picture (4, 256, 256) under a tension (256, 256)."""
        return self.driven(image, [tension], tension)[0]

    def driven(self, image: Floats, tensions: list[Floats], own: Floats) -> list[Floats]:
        """One picture under several tensions; `own` is the pictured expression's, which early fusion needs."""
        with torch.no_grad():
            encoding: Encoding | None = None
            if self.network.settings.fusion == "decoder":
                encoding = self.network.encode(self._tensor(image))
            answers = []
            for tension in tensions:
                at = self._tensor(tension[None])
                known = encoding or self.network.encode(self._tensor(image), at)
                answers.append(self.network.decode(known, at)[0, 0].float().cpu().numpy() * self.mask)
        return answers

    def of_face(self, face: FaceTexture, tensions: list[Floats] | None = None) -> list[Floats]:
        """A real face under its own tension, or under others."""
        image = network_image(face.rgb, face.visibility)
        return self.driven(image, tensions or [face.tension], face.tension)

    def _tensor(self, values: Floats) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32))[None].to(self.device)
