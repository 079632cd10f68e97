"""The face model's points in torch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.face_model import Embedding, FaceModel


class FacePoints(nn.Module):
    """Points on the face as a linear function of identity and expression.

    Gaze, jaw and neck joints do not move them: take points of the skin.

    Args:
        mean: (N, 3) metres, head frame.
        identity: (K, N, 3).
        expression: (52, N, 3).
    """

    mean: Tensor
    identity: Tensor
    expression: Tensor

    def __init__(
        self, mean: NDArray[np.floating], identity: NDArray[np.floating], expression: NDArray[np.floating]
    ) -> None:
        super().__init__()
        self.count = len(mean)
        # Not part of the weights: they belong to the face model.
        self.register_buffer("mean", torch.tensor(mean.reshape(-1), dtype=torch.float32), persistent=False)
        rows = torch.tensor(identity.reshape(len(identity), -1), dtype=torch.float32)
        self.register_buffer("identity", rows, persistent=False)
        rows = torch.tensor(expression.reshape(len(expression), -1), dtype=torch.float32)
        self.register_buffer("expression", rows, persistent=False)

    @classmethod
    def of_vertices(cls, model: FaceModel, identity_count: int) -> FacePoints:
        """All vertices of a model."""
        return cls(model.mean, model.identity_basis[:identity_count], model.expression_basis)

    @classmethod
    def of_embedding(cls, model: FaceModel, embedding: Embedding, identity_count: int) -> FacePoints:
        """The points of an embedding, for example the landmarks."""

        def at(values: NDArray[np.floating]) -> NDArray[np.float32]:
            corners = values[..., model.faces[embedding.triangles], :]
            return np.asarray(np.einsum("nk,...nkd->...nd", embedding.barycentrics, corners), np.float32)

        return cls(at(model.mean), at(model.identity_basis[:identity_count]), at(model.expression_basis))

    def neutral(self, identity: Tensor) -> Tensor:
        """(B, N, 3) metres of (B, <= K) identities at rest."""
        flat = self.mean + identity @ self.identity[: identity.shape[1]]
        return flat.reshape(-1, self.count, 3)

    def forward(self, identity: Tensor, expression: Tensor) -> Tensor:
        """(B, N, 3) metres, head frame, of (B, <= K) identities and (B, 52) channels."""
        flat = self.mean + identity @ self.identity[: identity.shape[1]] + expression @ self.expression
        return flat.reshape(-1, self.count, 3)
