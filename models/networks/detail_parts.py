"""The detail student in the two parts that engines compile: who is seen, once; and how the skin folds, every time."""

from __future__ import annotations

from torch import Tensor, nn

from models.networks.detail_convolutions import Encoding
from models.networks.mae import DetailMAE


class DetailEncoder(nn.Module):
    """(B, 4, S, S) picture and visibility -> tokens, and the stem's features at three resolutions.

    A network without a refining head answers tokens alone.
    """

    def __init__(self, network: DetailMAE) -> None:
        super().__init__()
        if network.settings.fusion != "decoder":
            raise ValueError("only a network whose tension joins before the decoder can be split")
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        encoding = self.network.encode(image)
        return tuple(part for part in encoding if part is not None)


class DetailDecoder(nn.Module):
    """What `DetailEncoder` answers, and tension (B, 1, S, S) -> displacement (B, 1, S, S) in millimetres."""

    def __init__(self, network: DetailMAE) -> None:
        super().__init__()
        self.network = network

    def forward(self, *parts: Tensor) -> Tensor:
        """See the class; the tension comes last."""
        *encoded, tension = parts
        return self.network.decode(Encoding(*encoded), tension)
