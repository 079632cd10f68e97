"""Adapters: what makes the shared base model one person's, in a small file.

The sizes are the supplement's: one hidden layer of 1/32 of the input in the ViT and 1/2 in the MAE. Where an adapter
sits is a reconstruction: h <- h + W2 act(W1 h) after each block (after Houlsby et al., Parameter-Efficient Transfer
Learning for NLP, ICML 2019). W2 starts at zero, so that step 0 is the base model exactly.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from models.networks.glimpses import WINDOWS, Glimpses
from models.networks.transformer import Block

VIT_SHARE = 1 / 32
MAE_SHARE = 1 / 2


class Adapter(nn.Module):
    """(B, N, dim) -> (B, N, dim), zero until it is trained.

    Args:
        dim: channels of a token.
        hidden: of the one hidden layer.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.down = nn.Linear(dim, hidden)
        self.act = nn.GELU()
        self.up = nn.Linear(hidden, dim)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        return self.up(self.act(self.down(tokens)))  # type: ignore[no-any-return]


def _places(network: nn.Module) -> Iterator[tuple[str, Block | Glimpses, int]]:
    """What takes adapters, its name and its channels."""
    for name, module in network.named_modules():
        if isinstance(module, Block):
            yield name, module, module.mlp_norm.normalized_shape[0]
        elif isinstance(module, Glimpses):
            yield name, module, WINDOWS


def insert_adapters(network: nn.Module, share: float) -> list[nn.Parameter]:
    """Gives each block, and the close looks where there are any, a fresh adapter and freezes everything else.

    Args:
        network: changed in place.
        share: hidden channels as a share of the block's, VIT_SHARE or MAE_SHARE.

    Returns:
        The adapters' parameters, the only ones that still learn.
    """
    network.requires_grad_(False)
    learning: list[nn.Parameter] = []
    for _, place, dim in list(_places(network)):
        adapter = Adapter(dim, max(1, round(dim * share))).to(next(place.parameters()).device)
        place.adapter = adapter
        learning += list(adapter.parameters())
    return learning


def remove_adapters(network: nn.Module) -> None:
    """Makes the base model of it again; its own parameters may learn again."""
    for _, place, _ in _places(network):
        place.adapter = None
    network.requires_grad_(True)


def adapter_state(network: nn.Module) -> dict[str, Tensor]:
    """The adapters' weights alone: what a person's file holds."""
    return {
        f"{name}.adapter.{key}": value
        for name, place, _ in _places(network)
        if place.adapter is not None
        for key, value in place.adapter.state_dict().items()
    }


def load_adapter_state(network: nn.Module, state: dict[str, Tensor], share: float) -> None:
    """Gives a network a person's adapters.

    Raises:
        ValueError: the weights belong to another network or preset.
    """
    insert_adapters(network, share)
    wanted = adapter_state(network)
    if set(wanted) != set(state) or any(wanted[k].shape != state[k].shape for k in wanted):
        remove_adapters(network)
        raise ValueError("These adapters were made for another network or preset: make the avatar anew.")
    network.load_state_dict(state, strict=False)
