"""The public data sets of the paper, in the folder layouts in which their authors publish them.

None of them may be redistributed, and several are for research alone: they are the user's to download. Readers list
what is there, by person; pictures are opened later. See method.md's list: BUPT-Balancedface, Celeb-DF v2 (real videos
only), MEAD, and VFHQ, the paper's future work.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

__all__ = ["READERS", "DataSetError", "Medium", "by_person", "grouped_batches", "read_set"]

PICTURES = frozenset({".jpg", ".jpeg", ".png"})
VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv"})
RACES = ("African", "Asian", "Caucasian", "Indian")
EMOTIONS = ("angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised")


class DataSetError(Exception):
    """A folder that is not the data set it is said to be; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One picture, video, or folder of a video's pictures.

    Attributes:
        person: who it shows, unique within the set.
        path: the file, or the folder of pictures.
        kind: what the path is.
        group: race (BUPT), emotion and level (MEAD), origin (Celeb-DF); empty where there is none.
    """

    person: str
    path: Path
    kind: Literal["picture", "video", "frames"]
    group: str = ""


def _bupt(root: Path) -> Iterator[Medium]:
    """`race_per_7000/RACE/PERSON/*.jpg`, or the race folders at once."""
    base = root / "race_per_7000" if (root / "race_per_7000").is_dir() else root
    for race in RACES:
        for folder in _folders(base / race):
            for path in _files(folder, PICTURES):
                yield Medium(f"{race}/{folder.name}", path, "picture", race)


def _celeb_df(root: Path) -> Iterator[Medium]:
    """`Celeb-real/idN_NNNN.mp4` and `YouTube-real/NNNNN.mp4`; `Celeb-synthesis`, the deepfakes, is never looked at."""
    for path in _files(root / "Celeb-real", VIDEOS):
        match = re.match(r"(id\d+)_", path.name)
        if match:
            yield Medium(match.group(1), path, "video", "celebrity")
    for path in _files(root / "YouTube-real", VIDEOS):
        yield Medium(f"youtube-{path.stem}", path, "video", "youtube")


def _mead(root: Path) -> Iterator[Medium]:
    """`ACTOR/video/front/EMOTION/level_N/*.mp4`, ACTOR as M003 or W011; the front camera."""
    for actor in _folders(root):
        if not re.fullmatch(r"[MW]\d{3}", actor.name):
            continue
        for emotion in EMOTIONS:
            for level in _folders(actor / "video" / "front" / emotion):
                for path in _files(level, VIDEOS):
                    yield Medium(actor.name, path, "video", f"{emotion} {level.name}")


def _vfhq(root: Path) -> Iterator[Medium]:
    """`Clip+VIDEO+P0+C1+F1234-1345/*.png`, folders of cropped frames; person P of a video is one person."""
    for folder in _folders(root):
        match = re.match(r"Clip\+(.+)\+P(\d+)\+C(\d+)\+F", folder.name)
        if match and _files(folder, PICTURES):
            yield Medium(f"{match.group(1)}+P{match.group(2)}", folder, "frames")


READERS: dict[str, Callable[[Path], Iterator[Medium]]] = {
    "bupt-balancedface": _bupt,
    "celeb-df-v2": _celeb_df,
    "mead": _mead,
    "vfhq": _vfhq,
}


def read_set(name: str, root: Path) -> list[Medium]:
    """Everything of a data set that may be trained on, in a fixed order.

    Args:
        name: one of READERS.
        root: the folder that its archive unpacks to.

    Raises:
        DataSetError: no such set or folder, or nothing in the layout of the set.
    """
    if name not in READERS:
        raise DataSetError(f"There is no reader for {name}: Mien reads {', '.join(READERS)}.")
    if not root.is_dir():
        raise DataSetError(f"There is no folder {root}: name the folder that {name} was unpacked to.")
    found = list(READERS[name](root))
    if not found:
        layout = (READERS[name].__doc__ or "").split(";")[0]
        raise DataSetError(f"{root} does not look like {name}, which is laid out as {layout.strip().rstrip('.')}.")
    return found


def by_person(media: Sequence[Medium]) -> dict[str, list[Medium]]:
    """Person -> media, in the order of the list."""
    people: dict[str, list[Medium]] = defaultdict(list)
    for medium in media:
        people[medium.person].append(medium)
    return dict(people)


def grouped_batches(
    media: Sequence[Medium], people: int, each: int, rng: np.random.Generator
) -> Iterator[list[Medium]]:
    """Endless batches of `people` persons with `each` media of every one, as identity swaps need them.

    A person with fewer media gives some twice; groups (races) have the same share however many people they have.

    Raises:
        DataSetError: fewer persons than a batch needs.
    """
    members = by_person(media)
    groups: dict[str, list[str]] = defaultdict(list)
    for person, own in members.items():
        groups[own[0].group].append(person)
    if len(members) < people:
        raise DataSetError(f"A batch needs {people} persons and there are {len(members)}: ask for fewer.")
    names = sorted(groups)
    while True:
        chosen: list[str] = []
        while len(chosen) < people:
            group = groups[names[int(rng.integers(len(names)))]]
            person = group[int(rng.integers(len(group)))]
            if person not in chosen:
                chosen.append(person)
        batch = []
        for person in chosen:
            own = members[person]
            picked = rng.choice(len(own), each, replace=len(own) < each)
            batch += [own[int(i)] for i in picked]
        yield batch


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _files(folder: Path, kinds: frozenset[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in kinds and p.is_file())
