"""What every engine is: a compiled network that turns arrays into arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

Floats = NDArray[np.float32]


class EngineError(Exception):
    """An engine that cannot be used here; the message says why, for `doctor` and the status line."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network as engines see it.

    Attributes:
        name: for messages and cache files: letters, digits, dashes.
        weights: hash of the weights, the key of everything compiled from them.
        inputs: name -> shape of each input, all float32, batch included; in the order of the network's arguments.
        outputs: how many arrays it answers.
        build: the network with its weights, in evaluation mode; called only where an engine must compile it.
        relative: inputs on which an engine is tested are uniform in 0..1, times this for each input.
        sample: makes inputs like those in use instead, for a network that noise sends where it never goes: there it may
            answer anything, and half precision anything else.
        tolerance: largest difference to torch in single precision that passes the self-test, as a share of the answer's
            root mean square.
    """

    name: str
    weights: str
    inputs: dict[str, tuple[int, ...]]
    outputs: int
    build: Callable[[], nn.Module]
    relative: tuple[float, ...] = ()
    tolerance: float = 0.05
    sample: Callable[[], tuple[Floats, ...]] | None = None

    @property
    def key(self) -> str:
        """Tells what was compiled from it from everything else in the cache."""
        return f"{self.name}-{self.weights}-{self.outputs}"

    def example(self) -> tuple[Floats, ...]:
        """The same inputs every time, for self-tests."""
        if self.sample is not None:
            return self.sample()
        rng = np.random.default_rng(20)
        scales = self.relative or (1.0,) * len(self.inputs)
        return tuple(
            (rng.random(shape) * scale).astype(np.float32)
            for shape, scale in zip(self.inputs.values(), scales, strict=True)
        )


class Engine(ABC):
    """A network, ready to run. One thread at a time."""

    name: str
    """As the user sees it: `OpenVINO f32`."""

    @abstractmethod
    def run(self, *inputs: Floats) -> tuple[Floats, ...]:
        """The network's answers for inputs of the spec's shapes.

        Raises:
            EngineError: the device failed.
        """

    def close(self) -> None:  # noqa: B027  (most engines hold nothing that needs it)
        """Frees the device's memory."""


def difference(found: tuple[Floats, ...], wanted: tuple[Floats, ...]) -> float:
    """Largest root mean square difference of the answers, as a share of the wanted ones' root mean square."""
    worst = 0.0
    if len(found) != len(wanted):
        return float("inf")
    for a, b in zip(found, wanted, strict=True):
        if a.shape != b.shape or not np.isfinite(a).all():
            return float("inf")
        scale = float(np.sqrt(np.mean(np.square(b, dtype=np.float64)))) + 1e-9
        worst = max(worst, float(np.sqrt(np.mean(np.square(a - b, dtype=np.float64)))) / scale)
    return worst
