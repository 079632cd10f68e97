"""How far the detector and the coarse network are believed when an avatar is made, and whether that is right.

    python -m tests.benchmarks.observer_trust SOURCE [SOURCE ...]

A source is a clip, or the seed of a rendered person (a number; seeds 0 to 999 are nobody's that a network learned
from). Prints a line for each:

- detector, network: what the best shape of each by itself leaves unexplained in held-out pictures, percent of the outer
  eye distance;
- share: of the network in what both see together;
- mesh, for rendered people: error of the 51 inner landmarks of each picture's mesh against the truth, percent, where
  the person is learned from the detector alone, with half and half, with that share, and from the network alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel, load_face_model
from tracking import FaceTracker, TrackerSettings, open_source
from tracking.coarse import CoarsePredictor
from tracking.evaluation.landmark_errors import inner_error
from tracking.observer_trust import unexplained
from tracking.person_capture import CapturedFrame, PersonCapture
from tracking.person_fit import Observed, fit_person, known_poses
from tracking.points import project_embedding
from tracking.second_look import second_look
from tracking.smoothing import SmoothingSettings
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource
from tracking.threads import use_one_thread
from tracking.types import FaceParameters

FRAMES = 600
RENDERED_FRAMES, RENDERED_FPS = 300, 30


def captured(model: FaceModel, source: str) -> tuple[Sequence[CapturedFrame], SyntheticSource | None]:
    """The pictures that an avatar would be learned from, and who rendered them, if anyone did."""
    rendered = None
    if source.isdigit():
        rendered = SyntheticSource(SyntheticSettings(seed=int(source), frames=RENDERED_FRAMES), model)
    capture = PersonCapture()
    settings = TrackerSettings(smoothing=SmoothingSettings(preset="off"))
    with rendered or open_source(source) as frames, FaceTracker(settings, model) as tracker:
        for frame in frames:
            if frame.index >= FRAMES:
                break
            capture.add(tracker.process(frame))
    return capture.spread, rendered


def mesh_error(model: FaceModel, poses: Sequence[FaceParameters], truth: Sequence[FaceParameters]) -> float:
    """Mean distance of the 51 inner landmarks, percent of the outer eye distance."""
    pairs = zip(poses, truth, strict=True)
    return 100 * float(np.mean([inner_error(_landmarks(model, a), _landmarks(model, b)) for a, b in pairs]))


def _landmarks(model: FaceModel, parameters: FaceParameters) -> NDArray[np.float64]:
    vertices = model.pose(parameters.identity, parameters.expression, parameters.gaze).vertices
    return project_embedding(model, parameters, vertices, model.landmarks68)[:, :2].astype(np.float64)


def line(model: FaceModel, network: CoarsePredictor, source: str) -> str:
    """One source's line."""
    frames, rendered = captured(model, source)
    seen = [Observed(f.observation, f.parameters, second_look(network, f)) for f in frames]
    found = unexplained(model, seen)
    if found is None:
        return f"{source}: too few pictures show a face"
    text = (
        f"{source}: detector {100 * found.detector:.2f} %, network {100 * found.network:.2f} %, share {found.share:.2f}"
    )
    if rendered is None:
        return text
    truth = [rendered.truth(round(f.time_s * RENDERED_FPS)) for f in frames]
    errors = []
    for share in (None, 0.5, found.share, 1.0):
        believed = [replace(o, look=None) if share is None else replace(o, share=share) for o in seen]
        fit = fit_person(model, believed, believed[:1])
        errors.append(mesh_error(model, known_poses(model, fit.identity, fit.fov, believed), truth))
    alone, half, shared, other = errors
    return f"{text}; mesh {alone:.2f} % (detector), {half:.2f} (half), {shared:.2f} (share), {other:.2f} (network)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="+", help="clips, or seeds of rendered people")
    sources = parser.parse_args().sources
    use_one_thread()
    model = load_face_model()
    network = CoarsePredictor(model)
    for source in sources:
        print(line(model, network, source), flush=True)


if __name__ == "__main__":
    main()
