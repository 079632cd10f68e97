"""PyTorch itself: the reference on a processor, half precision on an NVIDIA card."""

from __future__ import annotations

import numpy as np

from models.engines.base import Engine, EngineError, Floats, NetworkSpec


class TorchEngine(Engine):
    """Eager PyTorch.

    Args:
        spec: the network.
        device: `cpu` or `cuda`.
        threads: for the processor; None leaves torch's own setting.

    Raises:
        EngineError: there is no such device.
    """

    def __init__(self, spec: NetworkSpec, device: str = "cpu", threads: int | None = None) -> None:
        import torch

        if device == "cuda" and not torch.cuda.is_available():
            raise EngineError("PyTorch sees no NVIDIA card.")
        if threads is not None and device == "cpu":
            torch.set_num_threads(threads)
        self.name = "PyTorch" if device == "cpu" else "PyTorch CUDA f16"
        self._torch = torch
        self._type = torch.float32 if device == "cpu" else torch.float16
        self._device = torch.device(device)
        self._network = spec.build().eval().to(self._device, self._type)

    def run(self, *inputs: Floats) -> tuple[Floats, ...]:
        """See Engine."""
        torch = self._torch
        try:
            with torch.inference_mode():
                given = [torch.from_numpy(np.ascontiguousarray(i)).to(self._device, self._type) for i in inputs]
                answer = self._network(*given)
                answers = answer if isinstance(answer, tuple) else (answer,)
                return tuple(a.float().cpu().numpy() for a in answers)
        except RuntimeError as error:
            raise EngineError(f"{self.name} failed: {error}") from error
