"""Driving a person: what several pictures of the skin are worth beside a single one, on people of known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from models.avatars.person_sources import MixedSkin, choose_sources
from models.networks.detail_convolutions import Encoding
from models.training.data.expressions import random_expression
from models.training.data.wrinkle_faces import View, WrinkleFaces, network_image
from models.training.detail_figures import correlation
from models.training.evaluation.answers import DetailAnswers

__all__ = ["driven_figures"]

Floats = NDArray[np.float32]

CAPTURED, JUDGED = 40, 8
"""Pictures of a person's capture, and of expressions that are not in it."""
CALM_EVERY, CALM = 4, 0.15
"""Every so many-th picture of a capture is at rest, up to so much of an expression."""
TURN = 0.25
"""Radians, standard deviation, by which the head is turned."""


def driven_figures(
    answers: DetailAnswers, faces: WrinkleFaces, seeds: range, step: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Correlation of driven relief with the truth, for expressions that the source pictures do not show.

    `one_picture` is the base model's animation rule from the calmest picture of the capture, `sources` what an avatar
    keeps of it, `own_picture` (not driven at all) the answer for the judged picture itself.

    Args:
        answers: of a student whose tension joins before the decoder.
        faces: people whose textures nobody trained on.
        seeds: of the people.
        step: called after each person.
    """
    found = np.array([_person(answers, faces, seed, step) for seed in seeds])
    gain = found[:, 1] - found[:, 0]
    figures = {"people": float(len(found))}
    for n, name in enumerate(("one_picture", "sources", "own_picture")):
        figures[name] = float(found[:, n].mean())
        figures[f"{name}_spread"] = float(found[:, n].std())
    return figures | {
        "gain": float(gain.mean()),
        "gain_spread": float(gain.std()),
        "least_gain": float(gain.min()),
        "people_better": float((gain > 0).mean()),
    }


def _person(answers: DetailAnswers, faces: WrinkleFaces, seed: int, step: Callable[[], None]) -> list[float]:
    """Correlation over the judged pictures: one picture, sources, the judged picture itself."""
    rng = np.random.default_rng(seed)
    person, view = faces.person(rng, age=float(rng.uniform(0.3, 0.95))), View.random(rng)
    images, tensions, truths = [], [], []
    like = None
    for n in range(CAPTURED + JUDGED):
        expression = random_expression(rng)
        if n < CAPTURED and n % CALM_EVERY == 0:
            expression = np.asarray(expression * CALM, np.float32)
        maps = faces.maps(person, expression, like)
        like = like or maps
        truth = faces.relief(person, maps)
        image = network_image(*faces.picture(person, maps, truth, _turned(view, rng.normal(0, TURN)), rng))
        images.append(image)
        tensions.append(maps.tension)
        truths.append(truth)
    captured = np.stack(tensions[:CAPTURED])
    seen = np.array([image[3].mean() for image in images[:CAPTURED]])
    chosen = choose_sources(captured, seen, answers.mask)
    mixed = MixedSkin(
        [_encoded(answers, images[n]) for n in chosen],
        captured[chosen],
        np.stack([images[n][3] for n in chosen]),
    )
    calm = _encoded(answers, images[chosen[0]])
    judged = range(CAPTURED, CAPTURED + JUDGED)
    truth = np.stack([truths[n] for n in judged])
    given = (
        [_decoded(answers, calm, tensions[n]) for n in judged],
        [_decoded(answers, mixed.at(tensions[n]), tensions[n]) for n in judged],
        [answers(images[n], tensions[n]) for n in judged],
    )
    step()
    return [correlation(np.stack(maps), truth, answers.mask) for maps in given]


def _turned(view: View, yaw: float) -> View:
    """The same light on a head that is turned: first-order harmonics turn, the weaker ones are left."""
    light = view.light.copy()
    cosine, sine = np.cos(yaw), np.sin(yaw)
    light[2], light[3] = cosine * view.light[2] - sine * view.light[3], cosine * view.light[3] + sine * view.light[2]
    return replace(view, light=light, towards=np.array([sine, 0, cosine], np.float32))


def _encoded(answers: DetailAnswers, image: Floats) -> tuple[Floats, ...]:
    with torch.no_grad():
        encoding = answers.network.encode(torch.from_numpy(image)[None].to(answers.device))
    return tuple(part.float().cpu().numpy() for part in encoding if part is not None)


def _decoded(answers: DetailAnswers, parts: tuple[Floats, ...], tension: Floats) -> Floats:
    with torch.no_grad():
        tensors = [torch.from_numpy(part).to(answers.device) for part in parts]
        encoding = Encoding(*tensors)
        at = torch.from_numpy(np.ascontiguousarray(tension))[None, None].to(answers.device)
        found = answers.network.decode(encoding, at)[0, 0].float().cpu().numpy() * answers.mask
    return np.asarray(found, np.float32)
