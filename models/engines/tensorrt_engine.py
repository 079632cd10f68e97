"""TensorRT through torch-tensorrt, on NVIDIA cards; an extra."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.engines.base import Engine, EngineError, Floats, NetworkSpec


class TensorRTEngine(Engine):
    """A network compiled by TensorRT in half precision. Compiled engines are kept in the user's cache folder.

    Args:
        spec: the network; batch and sizes are fixed.
        cache: folder for compiled engines. It is private to this program: an engine file is code.

    Raises:
        EngineError: there is no card, torch-tensorrt is not installed, or the compilation failed.
    """

    name = "TensorRT f16"

    def __init__(self, spec: NetworkSpec, cache: Path) -> None:
        import torch

        if not torch.cuda.is_available():
            raise EngineError("PyTorch sees no NVIDIA card.")
        try:
            import torch_tensorrt
        except (ImportError, OSError) as error:
            raise EngineError("torch-tensorrt is not installed: install Mien with the extra `tensorrt`.") from error
        self._torch = torch
        path = cache / f"{spec.key}-trt{torch_tensorrt.__version__}-{_card(torch)}.ep"
        try:
            if not path.exists():
                cache.mkdir(parents=True, exist_ok=True, mode=0o700)
                given = [torch.from_numpy(i).cuda().half() for i in spec.example()]
                network = spec.build().eval().cuda().half()
                compiled = torch_tensorrt.compile(
                    network, ir="dynamo", inputs=given, immutable_weights=False, cache_built_engines=True,
                    reuse_cached_engines=True, engine_cache_dir=str(cache / "tensorrt"),
                )  # fmt: skip
                torch_tensorrt.save(compiled, str(path), inputs=given)
            self._network = torch.export.load(path).module()
        except Exception as error:
            # The compiler raises errors of many kinds; each means that another engine is needed.
            path.unlink(missing_ok=True)
            raise EngineError(f"TensorRT cannot compile {spec.name}: {error}") from error

    def run(self, *inputs: Floats) -> tuple[Floats, ...]:
        """See Engine."""
        torch = self._torch
        try:
            with torch.inference_mode():
                given = [torch.from_numpy(np.ascontiguousarray(i)).cuda().half() for i in inputs]
                answer = self._network(*given)
                answers = answer if isinstance(answer, tuple) else (answer,)
                return tuple(a.float().cpu().numpy() for a in answers)
        except RuntimeError as error:
            raise EngineError(f"{self.name} failed: {error}") from error


def _card(torch: object) -> str:
    name: str = torch.cuda.get_device_name(0)  # type: ignore[attr-defined]
    return "".join(c if c.isalnum() else "-" for c in name)
