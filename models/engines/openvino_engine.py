"""OpenVINO on the processor: single precision, bfloat16 where the processor has it, 8-bit integers with NNCF.

What was converted is kept in the user's cache folder, so that only the first start needs PyTorch.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np

from models.engines.base import Engine, EngineError, Floats, NetworkSpec
from models.engines.telemetry import import_openvino, switch_telemetry_off

Precision = Literal["f32", "bf16", "int8"]
_CALIBRATION = 64


class OpenVINOEngine(Engine):
    """A network compiled by OpenVINO.

    Args:
        spec: the network.
        precision: of the arithmetic; `int8` quantises on `calibration` once.
        cache: folder for converted networks.
        threads: of the processor, None for all.
        calibration: inputs as they occur in use, for `int8`; random ones would give wrong ranges.

    Raises:
        EngineError: OpenVINO is not installed, the processor lacks the precision, or the conversion failed.
    """

    def __init__(
        self, spec: NetworkSpec, precision: Precision, cache: Path, threads: int | None = None,
        calibration: list[tuple[Floats, ...]] | None = None,
    ) -> None:  # fmt: skip
        try:
            ov = import_openvino()
        except ImportError as error:
            raise EngineError("OpenVINO is not installed.") from error
        self.name = f"OpenVINO {precision}"
        try:
            core = ov.Core()
            if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
                raise EngineError("This processor does not compute in bfloat16.")
            model = core.read_model(_converted(ov, core, spec, precision, cache, calibration))
            options: dict[str, Any] = {
                "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1",
                "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            }  # fmt: skip
            if threads is not None:
                options["INFERENCE_NUM_THREADS"] = str(threads)
            self._compiled = core.compile_model(model, "CPU", options)
            self._request = self._compiled.create_infer_request()
        except RuntimeError as error:
            raise EngineError(f"OpenVINO cannot compile {spec.name}: {error}") from error

    def run(self, *inputs: Floats) -> tuple[Floats, ...]:
        """See Engine."""
        try:
            answers = self._request.infer(list(inputs), share_inputs=True)
        except RuntimeError as error:
            raise EngineError(f"{self.name} failed: {error}") from error
        return tuple(np.array(answers[output]) for output in self._compiled.outputs)


def _converted(
    ov: Any, core: Any, spec: NetworkSpec, precision: Precision, cache: Path,
    calibration: list[tuple[Floats, ...]] | None,
) -> Path:  # fmt: skip
    """The converted network's file in the cache."""
    kind = "int8" if precision == "int8" else "f32"
    shapes = "-".join("x".join(map(str, shape)) for shape in spec.inputs.values())
    path = cache / f"{spec.key}-{shapes}-{kind}-ov{ov.__version__.split('-')[0]}.xml"
    if path.exists() and path.with_suffix(".bin").exists():
        return path
    import torch

    network = spec.build().eval()
    with torch.no_grad(), warnings.catch_warnings():
        # The tracer that OpenVINO uses is deprecated in torch, which is no business of ours.
        warnings.simplefilter("ignore")
        example = tuple(torch.from_numpy(i) for i in spec.example())
        model = ov.convert_model(network, example_input=example, input=list(spec.inputs.values()))
    if precision == "int8":
        model = _quantised(model, spec, calibration)
    cache.mkdir(parents=True, exist_ok=True)
    # Both files must be there under their own names: the weights first, then the description that is looked for.
    unfinished = cache / f"unfinished-{os.getpid()}-{path.name}"
    ov.save_model(model, unfinished, compress_to_fp16=False)
    unfinished.with_suffix(".bin").replace(path.with_suffix(".bin"))
    unfinished.replace(path)
    return path


def _quantised(model: Any, spec: NetworkSpec, calibration: list[tuple[Floats, ...]] | None) -> Any:
    if not calibration:
        raise EngineError(f"{spec.name} has no pictures to find its 8-bit ranges with.")
    switch_telemetry_off()
    try:
        import nncf
    except ImportError as error:
        raise EngineError("8-bit engines need NNCF: install Mien with the extra `int8`.") from error
    data = nncf.Dataset(calibration[:_CALIBRATION], list)
    # SmoothQuant, on by default, ruins these transformers: .20 relative error against .025 without it.
    smooth = nncf.AdvancedSmoothQuantParameters(convolution=-1, matmul=-1)
    return nncf.quantize(
        model, data, model_type=nncf.ModelType.TRANSFORMER,
        advanced_parameters=nncf.AdvancedQuantizationParameters(smooth_quant_alphas=smooth),
    )  # fmt: skip
