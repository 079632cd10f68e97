"""How fast the networks run, of either preset: one crop, one encoded skin, one relief.

    python -m tests.benchmarks.bench_networks [--json OUT] [--engine auto] [--times N]

Weights are random, which does not matter for time: the detail networks of `paper` are not shipped. Prints p50 and p95
in milliseconds, the engine, and the machine's facts.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from app.machine import machine_facts
from models.engines.base import NetworkSpec
from models.engines.choose import load_engine
from models.networks.detail_parts import DetailDecoder, DetailEncoder
from models.networks.mae import DetailMAE
from models.networks.presets import PresetName, preset
from models.networks.vit import CoarseLayout, CoarseReader, CoarseViT

PRESETS: tuple[PresetName, ...] = ("lite", "paper")


def specs(name: PresetName) -> Iterator[NetworkSpec]:
    """The three networks of a preset as tracking runs them."""
    torch.manual_seed(0)
    vit, mae = preset(name).vit, preset(name).mae
    coarse, detail = CoarseViT(vit, CoarseLayout()).eval(), DetailMAE(mae).eval()
    size, parts = mae.image_size, {f"part{i}": shape for i, shape in enumerate(mae.encoded_shapes)}
    yield NetworkSpec(
        f"coarse-{name}",
        "random",
        {"crop": (1, 3, vit.image_size, vit.image_size)},
        vit.answers,
        lambda: CoarseReader(coarse),
    )
    yield NetworkSpec(
        f"detail-encoder-{name}", "random", {"image": (1, 4, size, size)}, len(parts), lambda: DetailEncoder(detail)
    )
    yield NetworkSpec(
        f"detail-decoder-{name}", "random", parts | {"tension": (1, 1, size, size)}, 1, lambda: DetailDecoder(detail)
    )


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--times", type=int, default=40)
    options = parser.parse_args()
    report: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as cache:
        for name in PRESETS:
            for spec in specs(name):
                chosen = load_engine(spec, options.engine, cache=Path(cache))
                inputs = spec.example()
                times = []
                for _ in range(options.times + 5):
                    start = time.perf_counter()
                    chosen.engine.run(*inputs)
                    times.append((time.perf_counter() - start) * 1e3)
                p50, p95 = np.percentile(times[5:], [50, 95])
                chosen.engine.close()
                report[spec.name] = {"p50": round(p50, 1), "p95": round(p95, 1), "engine": chosen.engine.name}
                print(f"{spec.name:22} {p50:7.1f} {p95:7.1f} ms  {chosen.engine.name}")
    report["machine"] = machine_facts()
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
