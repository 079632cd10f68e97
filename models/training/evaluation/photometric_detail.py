"""What the supplement's photometric losses find by themselves, where the truth is known.

The displacement of each picture is learned for that picture alone, from zero, by L_phoD with L_smo and L_regD: the best
that a network could do that learned from nothing else and generalised perfectly. L_mrf is left out: VGG19 may not be
shipped.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from models.losses.detail import displacement_regularisation, smoothness
from models.synthesis.light import directional_light
from models.training.data.expressions import random_expression
from models.training.data.textures import FaceTexture
from models.training.data.wrinkle_faces import View, WrinkleFaces, network_image
from models.training.detail_figures import amplitude, correlation
from models.training.detail_photometric import LitFace, lit_face, photometric_terms
from models.training.evaluation.answers import DetailAnswers

__all__ = ["explained", "photometric_figures", "pictured"]

Floats = NDArray[np.float32]

STEPS = 120
RATE = 0.02
"""Millimetres that a texel moves in the first steps."""
SMOOTHNESS, REGULARISATION = 0.1, 0.02
"""Beside L_phoD in colours 0..1: the best of five pairs tried on people of the validation part."""
SIDE = directional_light(np.array([0.9, 0.3, 0.7]), 0.7, 0.3)
"""Light from the side and a little above, which shows relief best."""


def explained(
    face: LitFace, mask: Floats, smooth: float = SMOOTHNESS, regular: float = REGULARISATION, steps: int = STEPS
) -> Floats:
    """(256, 256) millimetres: the displacement that explains a picture best.

    Args:
        face: the picture with its skin colour and light.
        mask: (256, 256) where displacement may be.
        smooth, regular: weights of L_smo and L_regD.
        steps: of Adam.
    """
    inside = torch.from_numpy(mask)[None, None]
    displacement = torch.zeros(1, 1, *mask.shape, requires_grad=True)
    optimiser = torch.optim.Adam([displacement], RATE)
    for _ in range(steps):
        shown = displacement * inside
        loss = photometric_terms(face, shown)["photometric"]
        loss = loss + smooth * smoothness(shown) + regular * displacement_regularisation(shown)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return np.asarray((displacement.detach() * inside)[0, 0].numpy(), np.float32)


def photometric_figures(
    answers: DetailAnswers, faces: WrinkleFaces, seeds: range, side_lit: bool, step: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Correlation and amplitude of what the photometric losses find, the network's on the same pictures, and how well
    zero, the truth and either answer explain the pictures (L_phoD in 1/255).

    Args:
        answers: of the student.
        faces: people whose textures nobody trained on.
        seeds: of the people.
        side_lit: sharp pictures under light from the side, instead of random ones.
        step: called after each person.
    """
    found: dict[str, list[Floats]] = {}
    costs: dict[str, list[float]] = {}
    for seed in seeds:
        face, truth = pictured(faces, seed, side_lit)
        lit = lit_face(face, faces.window)
        maps = {
            "truth": truth, "photometric": explained(lit, faces.window.mask), "zero": np.zeros_like(truth),
            "network": answers(network_image(face.rgb, face.visibility), face.tension),
        }  # fmt: skip
        for name, values in maps.items():
            found.setdefault(name, []).append(values)
            with torch.no_grad():
                cost = photometric_terms(lit, torch.from_numpy(values)[None, None])["photometric"]
            costs.setdefault(name, []).append(255 * float(cost))
        step()
    stacks = {name: np.stack(values) for name, values in found.items()}
    figures: dict[str, float] = {"people": float(len(seeds))}
    for name in ("photometric", "network"):
        figures[f"{name}_correlation"] = correlation(stacks[name], stacks["truth"], answers.mask)
        figures[f"{name}_amplitude"] = amplitude(stacks[name], stacks["truth"], answers.mask)
    return figures | {f"residual_of_{name}": float(np.mean(values)) for name, values in costs.items()}


def pictured(faces: WrinkleFaces, seed: int, side_lit: bool) -> tuple[FaceTexture, Floats]:
    """A random person's picture and true relief; always the same for a seed."""
    rng = np.random.default_rng(seed)
    person = faces.person(rng)
    expression = random_expression(rng)
    maps = faces.maps(person, expression)
    truth = faces.relief(person, maps)
    view = View(light=SIDE, relight=1.0, noise=1.0) if side_lit else View.random(rng)
    rgb, visibility = faces.picture(person, maps, truth, view, rng)
    return FaceTexture(rgb, visibility, maps.tension, maps.normals, person.identity, expression, str(seed)), truth
