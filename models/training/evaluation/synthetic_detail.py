"""Detail on synthetic people whose truth is known, and on marks that must not become relief."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.training.data.detail_shading import random_light
from models.training.data.expressions import named_expression, random_expression
from models.training.data.skin_marks import Mark, draw_mark
from models.training.data.wrinkle_faces import Person, Skins, View, WrinkleFaces, log_colour, network_image
from models.training.data.wrinkles import WrinkleLayout
from models.training.detail_figures import amplitude, border_ratio, correlation, spectrum
from models.training.evaluation.answers import DetailAnswers

__all__ = ["mark_figures", "truth_figures"]

Floats = NDArray[np.float32]
Step = Callable[[], None]

MARKS: tuple[Mark, ...] = ("moles", "tattoo", "stubble", "lines")
SEEN = 0.5
"""Visibility from which a texel counts as seen by the camera."""
CHANGED = 0.04
"""Change of the logarithm of brightness from which a texel counts as marked or wrinkled."""


def truth_figures(
    answers: DetailAnswers, faces: WrinkleFaces, seeds: range, mean_skin: Floats, step: Step = lambda: None
) -> dict[str, float | dict[str, float]]:
    """Correlation, delta correlation, amplitudes, border ratio and spectrum; pooled over all seeds.

    Args:
        answers: of the student.
        faces: people whose textures nobody trained on.
        seeds: of the people.
        mean_skin: (4, 256, 256) the picture that stands for no picture (tension-only input).
        step: called after each person.
    """
    found: dict[str, list[Floats]] = {}
    for seed in seeds:
        sample = faces.sample(seed)
        zero = np.zeros_like(sample.tension)
        own, other, image_only = answers.driven(
            sample.image, [sample.tension, sample.other_tension, zero], sample.tension
        )
        tension_only = answers(mean_skin, sample.tension)
        maps = {
            "truth": sample.truth, "other_truth": sample.other_truth, "own": own, "other": other,
            "image_only": image_only, "tension_only": tension_only, "seen": sample.image[3] > SEEN,
        }  # fmt: skip
        for name, values in maps.items():
            found.setdefault(name, []).append(values)
        step()
    stacks = {name: np.stack(values) for name, values in found.items()}
    mask, truth = answers.mask, stacks["truth"]
    seen = mask * stacks["seen"]
    change, wanted = stacks["other"] - stacks["own"], stacks["other_truth"] - truth
    each = [correlation(a[None], b[None], mask) for a, b in zip(stacks["own"], truth, strict=True)]
    return {
        "people": float(len(seeds)),
        "correlation": correlation(stacks["own"], truth, mask),
        "correlation_where_seen": correlation(stacks["own"], truth, seen),
        "correlation_median_person": float(np.median(each)),
        "correlation_tension_only": correlation(stacks["tension_only"], truth, mask),
        "correlation_image_only": correlation(stacks["image_only"], truth, mask),
        "amplitude": amplitude(stacks["own"], truth, mask),
        "delta_correlation": correlation(change, wanted, mask),
        "delta_correlation_where_seen": correlation(change, wanted, seen),
        "delta_amplitude": amplitude(change, wanted, mask),
        "copying_the_truth_at_rest": correlation(truth, stacks["other_truth"], mask),
        "border_ratio": border_ratio(stacks["own"]),
        "border_ratio_of_truth": border_ratio(truth),
        "spectrum": spectrum(stacks["own"]),
        "spectrum_of_truth": spectrum(truth),
        "change_of_truth": float(wanted.std() / max(float(truth.std()), 1e-9)),
    }


def mark_figures(
    answers: DetailAnswers, faces: WrinkleFaces, skins: Skins, seeds: range, step: Step = lambda: None
) -> dict[str, float]:
    """Relief that marks cause, per unit of contrast, over that of wrinkles; below a third is the aim.

    Each person's smooth face is pictured clean, with wrinkles alone and with each mark alone, same light and noise. The
    amplitude is the root mean square of what the answer changes where the brightness changed, over the root mean square
    of that change.
    """
    gains: dict[str, list[float]] = {}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        person = faces.person(rng, age=0.7)
        expression = random_expression(rng, "smile")
        maps = faces.maps(person, expression)
        relief = faces.relief(person, maps)
        view = View(light=random_light(rng), noise=1.0)
        plain = skins.draw(np.random.default_rng(seed))
        smooth = _bare(person, plain)
        flat = np.zeros_like(relief)

        def asked(who: Person, shape: Floats, view: View = view, maps=maps, seed: int = seed):  # type: ignore[no-untyped-def]
            rgb, visibility = faces.picture(who, maps, shape, view, np.random.default_rng(seed))
            return log_colour(rgb).mean(axis=2), answers(network_image(rgb, visibility), maps.tension)

        clean_logs, clean = asked(smooth, flat)
        logs, answer = asked(smooth, relief)
        gains.setdefault("wrinkles", []).append(_gain(answer - clean, logs - clean_logs, answers.mask))
        for mark in MARKS:
            skin = plain.copy()
            draw_mark(skin, mark, np.random.default_rng(seed + 1), skins.beard, strength=0.3)
            logs, answer = asked(_bare(person, skin), flat)
            gains.setdefault(mark, []).append(_gain(answer - clean, logs - clean_logs, answers.mask))
        step()
    typical = {name: float(np.nanmean(values)) for name, values in gains.items()}
    wrinkles = max(typical.pop("wrinkles"), 1e-9)
    return {"wrinkles_mm_per_log_contrast": wrinkles} | {name: value / wrinkles for name, value in typical.items()}


def _bare(person: Person, skin: Floats) -> Person:
    layout = person.layout
    none = WrinkleLayout((), layout.amounts * 0, layout.offsets, 0.0, layout.regional)
    return Person(person.identity, none, skin)


def _gain(change: Floats, contrast: Floats, mask: Floats) -> float:
    marked = (np.abs(contrast) > CHANGED) & (mask > 0.5)
    if marked.sum() < 12:
        return float("nan")
    return float(np.sqrt(np.mean(change[marked] ** 2)) / np.sqrt(np.mean(contrast[marked] ** 2)))


def driving_expressions() -> dict[str, Floats]:
    """The expressions that real people's neutral pictures are driven with."""
    return {name: named_expression(name) for name in ("smile", "brow raise", "frown", "sneer")}
