"""Detail on real people of the test split: all of them, none picked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.face_model.detail_map import DetailMap
from models.training.data.skin_marks import draw_mark
from models.training.data.textures import FaceTexture
from models.training.data.wrinkle_faces import log_colour, network_image
from models.training.detail_figures import correlation
from models.training.evaluation.answers import DetailAnswers
from models.training.evaluation.regions import face_regions, strength
from models.training.evaluation.synthetic_detail import driving_expressions

__all__ = ["drawn_line_figures", "people_figures"]

Floats = NDArray[np.float32]
Step = Callable[[], None]

FAINT = 0.003
"""Millimetres: folds below this count as this in ratios, so that nobody divides by nothing."""
DRIVEN_REGION = {"brow raise": "forehead", "frown": "glabella", "sneer": "nose", "smile": "nasolabial"}


def people_figures(
    answers: DetailAnswers,
    window: DetailMap,
    pairs: Sequence[tuple[FaceTexture, FaceTexture]],
    step: Step = lambda: None,
) -> dict[str, float | dict[str, float]]:
    """Smiles against faces at rest, driven expressions, leakage, own against other tension.

    Args:
        answers: of the student.
        window: the detail window.
        pairs: (at rest, smiling) of each person.
        step: called after each person.
    """
    regions = face_regions(window)
    rest, smile, driven_smile = [], [], []
    driven: dict[str, list[float]] = {}
    for neutral, smiling in pairs:
        tensions = {n: expression_tension(window, neutral.identity, e) for n, e in driving_expressions().items()}
        own, by_smile, *others = answers.of_face(neutral, [neutral.tension, smiling.tension, *tensions.values()])
        rest.append(own)
        driven_smile.append(by_smile)
        smile.append(answers.of_face(smiling)[0])
        for name, answer in zip(tensions, others, strict=True):
            region = regions[DRIVEN_REGION[name]]
            driven.setdefault(f"{name}_at_rest_mm", []).append(strength(own, region))
            driven.setdefault(f"{name}_driven_mm", []).append(strength(answer, region))
        step()
    figures: dict[str, float | dict[str, float]] = {"people": float(len(pairs))}
    for name in ("nasolabial", "crows_feet"):
        before = np.array([strength(d, regions[name]) for d in rest])
        after = np.array([strength(d, regions[name]) for d in smile])
        figures[name] = {
            "share_stronger": float(np.mean(after > before)),
            "median_ratio": float(np.median(after / np.maximum(before, FAINT))),
            "at_rest_mm": float(np.median(before)),
            "smiling_mm": float(np.median(after)),
        }
    fold = np.array([strength(d, regions["nasolabial"]) for d in smile])
    figures["leakage_over_smile_fold"] = {
        name: float(np.median([strength(d, regions[name]) for d in smile] / np.maximum(fold, FAINT)))
        for name in ("nose", "chin", "brow_rim")
    }
    figures["compression_by_smile"] = {
        name: float(np.median([np.maximum(after.tension, 0)[region].mean() for _, after in pairs]))
        for name, region in regions.items()
    }
    figures["driven"] = _driven(driven)
    figures["tension"] = _tension_swaps(answers, pairs, np.stack(rest), np.stack(smile), np.stack(driven_smile))
    return figures


def expression_tension(window: DetailMap, identity: Floats, expression: Floats) -> Floats:
    """(256, 256) tension of a person's face in an expression."""
    posed = window.model.pose(identity, expression)
    return window.tension(posed.neutral, posed.vertices)


def _driven(values: dict[str, list[float]]) -> dict[str, float]:
    out: dict[str, float] = {}
    for name in DRIVEN_REGION:
        before, after = (np.array(values[f"{name}_{when}_mm"]) for when in ("at_rest", "driven"))
        out[f"{name}: mm at rest"] = float(np.median(before))
        out[f"{name}: mm driven"] = float(np.median(after))
        out[f"{name}: share stronger"] = float(np.mean(after > before))
        out[f"{name}: median ratio"] = float(np.median(after / np.maximum(before, FAINT)))
    return out


def _tension_swaps(
    answers: DetailAnswers,
    pairs: Sequence[tuple[FaceTexture, FaceTexture]],
    rest: Floats,
    smile: Floats,
    driven: Floats,
) -> dict[str, float]:
    """How well a person's own smile is foretold from the picture at rest.

    The smile is what the network sees in the smiling picture, less what it sees at rest. Mean correlations over people
    of it with: the picture at rest under the own smile's tension, under another person's, under the mean smile's;
    another person's smile; the mean smile of the others.
    """
    count = len(pairs)
    wanted = smile - rest
    mean_tension = np.mean([smiling.tension for _, smiling in pairs], axis=0)
    rows: dict[str, list[float]] = {}
    moved = []
    for i, (neutral, _) in enumerate(pairs):
        j = (i + count // 2) % count if count > 1 else i
        others, mean = answers.of_face(neutral, [pairs[j][1].tension, mean_tension])
        rest_of = np.delete(wanted, i, axis=0).mean(axis=0) if count > 1 else wanted[i]
        compared = {
            "own_tension": driven[i] - rest[i],
            "another_tension": others - rest[i],
            "mean_tension": mean - rest[i],
            "another_person": wanted[j],
            "mean_smile_map": rest_of,
        }
        for name, change in compared.items():
            rows.setdefault(name, []).append(correlation(change[None], wanted[i][None], answers.mask))
        moved.append(float(np.abs(others - driven[i]).mean() / max(float(np.abs(driven[i] - rest[i]).mean()), 1e-9)))
    return {name: float(np.mean(values)) for name, values in rows.items()} | {
        "change_when_swapped": float(np.median(moved))
    }


def drawn_line_figures(
    answers: DetailAnswers, faces: Sequence[FaceTexture], beard: Floats, strength_of_line: float = 0.35
) -> dict[str, float]:
    """What a line drawn on flat-lit skin becomes: root mean square millimetres on it, and per unit of contrast."""
    relief, contrast = [], []
    for number, face in enumerate(faces):
        logs = log_colour(face.rgb)
        draw_mark(logs, "lines", np.random.default_rng(number), beard, strength=strength_of_line)
        drawn = np.asarray(np.clip(np.exp(logs) * 255, 0, 255), np.uint8)
        change = log_colour(drawn).mean(axis=2) - log_colour(face.rgb).mean(axis=2)
        on_line = (np.abs(change) > 0.05) & (answers.mask > 0.5) & (face.visibility > 0.5)
        if on_line.sum() < 12:
            continue
        before = answers.of_face(face)[0]
        after = answers(network_image(drawn, face.visibility), face.tension)
        relief.append(float(np.sqrt(np.mean((after - before)[on_line] ** 2))))
        contrast.append(float(np.sqrt(np.mean(change[on_line] ** 2))))
    return {
        "people": float(len(relief)),
        "line_mm": float(np.median(relief)),
        "line_mm_per_log_contrast": float(np.median(np.array(relief) / np.array(contrast))),
    }
