"""Real photographs and clips for the coarse network: pictures with what the detector and the fit said of them.

Their labels are not exact: landmarks are MediaPipe's, channels the fit's. They teach what skin, hair, rooms and cameras
really look like; the rendered faces teach the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.differentiable.projection import CropCamera
from models.face_model import FaceModel, load_face_model
from models.face_model.symmetry import mirror_partners
from models.geometry.crop import REACH, TYPICAL_SCALE, Crop, base_crop, random_crop
from models.training.data.coarse_faces import PICTURE, decode, encode
from models.training.data.labels import FaceLabel, LabelFileError, list_labels, read_labels
from models.training.data.photo_views import PhotoView, random_view
from models.training.data.photometric import degrade
from models.training.splits import Part, Splits, load_splits

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

SURE = 0.5
"""Least confidence of a face that is learned from."""


@dataclass(frozen=True, slots=True)
class PhotoBatch:
    """Crops of photographs.

    Attributes:
        image: (B, 3, S, S) RGB in 0..1.
        landmarks: (B, 478, 2) detected, crop coordinates.
        expression: (B, 52) as fitted.
        camera: of the crops.
        scale: (B,) fitted s; place: (B, 2) fitted t; see CoarseOutput.
        gaze: (B, 2, 2) as fitted, radians.
        people: B numbers, the same for the same person.
    """

    image: Tensor
    landmarks: Tensor
    expression: Tensor
    camera: CropCamera
    scale: Tensor
    place: Tensor
    gaze: Tensor
    people: tuple[int, ...]

    def to(self, device: torch.device) -> PhotoBatch:
        """On another device."""
        if device.type == "cpu":
            return self
        camera = CropCamera(self.camera.place.to(device), self.camera.half.to(device), self.camera.focal.to(device))
        image, landmarks, expression = (t.to(device) for t in (self.image, self.landmarks, self.expression))
        scale, place, gaze = (t.to(device) for t in (self.scale, self.place, self.gaze))
        return PhotoBatch(image, landmarks, expression, camera, scale, place, gaze, self.people)


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """What is kept of one photograph.

    Attributes:
        data: JPEG of the square around the face.
        square: that square, pixels of the photograph.
        base: the face's base crop, pixels of the photograph.
        label: of the face.
        person: who it is; pictures of the same name show the same person.
    """

    data: NDArray[np.uint8]
    square: Crop
    base: Crop
    label: FaceLabel
    person: str = ""


def labelled_face(
    image: Image, label: FaceLabel, place: Callable[[Crop], Crop] = lambda square: square, person: str = ""
) -> LabelledFace:
    """Keeps a labelled face.

    Args:
        image: (H, W, 3) uint8 RGB.
        label: of the face in it.
        place: where a square of the photograph lies in `image`, should that be only a part of the photograph.
        person: see LabelledFace.
    """
    base = base_crop(label.landmarks[:, :2])
    square = base.scaled(REACH)
    return LabelledFace(encode(place(square).sample(image, PICTURE)), square, base, label, person)


def random_batch(
    faces: Sequence[LabelledFace], size: int, rng: np.random.Generator, partners: NDArray[np.int64] | None = None
) -> PhotoBatch:
    """Random crops of `size` pixels, one of each face, degraded as cameras do.

    Args:
        faces: who is seen.
        size: pixels a side.
        rng: source of all randomness.
        partners: (478,) see `mirror_partners`: the faces are seen by tilted cameras and in the mirror, too. None where
            they are one person's, who is not symmetric.
    """
    cuts = []
    for face in faces:
        if partners is None:
            cuts.append(_cut(face, random_crop(face.base, rng), size, rng))
            continue
        view = random_view(rng)
        label = view.of_label(face.label, partners)
        crop = random_crop(base_crop(label.landmarks[:, :2]), rng)
        cuts.append(_cut(replace(face, label=label), crop, size, rng, view))
    return _collate(cuts)


def plain_batch(faces: Sequence[LabelledFace], size: int) -> PhotoBatch:
    """The typical crop of each face, neither moved nor degraded."""
    return _collate([_cut(face, face.base.scaled(TYPICAL_SCALE), size, None) for face in faces])


class Photos:
    """The labelled photographs of a part of the splits, kept in memory as JPEG squares around the faces.

    Args:
        labels: folder of label files: `london/neutral`, `london/smiling`, `canada_set`, `clips_grid`, `clips_signing`,
            whichever are there.
        part: of the splits.
        splits: by default those that ship.
        model: tells which landmark is which in the mirror; by default the shipped head.

    Raises:
        LabelFileError: none is there, or a labelled picture has moved.
    """

    def __init__(self, labels: Path, part: Part, splits: Splits | None = None, model: FaceModel | None = None) -> None:
        splits = splits or load_splits()
        self._partners = mirror_partners(model or load_face_model())
        chosen = {
            "london/neutral": splits.london_set.part(part),
            "london/smiling": splits.london_set.part(part),
            "canada_set": splits.canada_set.part(part),
            "clips_grid": splits.clips_grid.part(part),
            "clips_signing": splits.clips_signing.part(part),
        }
        self._photos: list[list[LabelledFace]] = []
        for folder, names in chosen.items():
            if not (labels / folder).is_dir():
                continue
            photos: list[LabelledFace] = []
            for path in list_labels(labels / folder):
                if path.name.split(".")[0] in names:
                    # One name in both of a set's folders is one person, as in the London Set.
                    photos += _photos_of(path, f"{folder.split('/')[0]}/{path.name.split('.')[0]}")
            if photos:
                self._photos.append(photos)
        self._of_person: dict[str, list[LabelledFace]] = {}
        for photo in (photo for photos in self._photos for photo in photos):
            self._of_person.setdefault(photo.person, []).append(photo)
        if not self._photos:
            raise LabelFileError(f"There are no labels of {part} pictures in {labels}: write them with `label`.")

    def __len__(self) -> int:
        return sum(len(p) for p in self._photos)

    def batch(self, count: int, size: int, rng: np.random.Generator, paired: bool = False) -> PhotoBatch:
        """`count` random crops of `size` pixels; each folder has the same share, however many pictures it holds.

        Args:
            count: of crops.
            size: pixels a side.
            rng: source of all randomness.
            paired: every second one shows the person of the one before, in another picture where there is one.
        """
        drawn: list[LabelledFace] = []
        for number in range(count):
            if paired and number % 2:
                others = [photo for photo in self._of_person[drawn[-1].person] if photo is not drawn[-1]] or drawn[-1:]
                drawn.append(others[int(rng.integers(len(others)))])
                continue
            photos = self._photos[int(rng.integers(len(self._photos)))]
            drawn.append(photos[int(rng.integers(len(photos)))])
        return random_batch(drawn, size, rng, self._partners)

    def fixed(self, size: int, limit: int, count: int = 64) -> Iterator[PhotoBatch]:
        """Every so manieth photograph, `limit` in all, neither augmented nor degraded."""
        photos = [photo for folder in self._photos for photo in folder]
        photos = photos[:: max(1, len(photos) // limit)][:limit]
        for start in range(0, len(photos), count):
            yield plain_batch(photos[start : start + count], size)


def _photos_of(path: Path, person: str) -> list[LabelledFace]:
    labels = read_labels(path)
    wanted = {face.frame: face for face in labels.faces if face.confidence >= SURE}
    found = []
    for frame, image in _pictures(Path(labels.source), max(wanted, default=0)):
        face = wanted.get(frame)
        if face is None:
            continue
        found.append(labelled_face(image, face, person=person))
    return found


def _pictures(path: Path, last: int) -> Iterator[tuple[int, Image]]:
    if not path.is_file():
        raise LabelFileError(f"The labelled picture {path} is no longer there: label the folder again where it is now.")
    single = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.suffix.lower() in (".jpg", ".jpeg", ".png") else None
    if single is not None:
        yield 0, np.asarray(cv2.cvtColor(single, cv2.COLOR_BGR2RGB), np.uint8)
        return
    import av  # late: only clips need it

    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index > last:
                return
            yield index, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


_Cut = tuple[Image, Crop, LabelledFace]


def _cut(
    photo: LabelledFace, crop: Crop, size: int, rng: np.random.Generator | None, view: PhotoView | None = None
) -> _Cut:
    """The crop, in pixels of the view where there is one; then the label is the view's, the square the photograph's."""
    kept = decode(photo.data)
    if view is None:
        ratio, middle = PICTURE / 2 / photo.square.half, (PICTURE - 1) / 2
        stored = Crop(
            middle + (crop.x - photo.square.x) * ratio, middle + (crop.y - photo.square.y) * ratio, crop.half * ratio
        )  # fmt: skip
        image = stored.sample(kept, size)
    else:
        to_photo = np.linalg.inv(_whole(photo.square.matrix(PICTURE)))
        matrix = (_whole(crop.matrix(size)) @ _whole(view.of_pixels(photo.label.camera)) @ to_photo)[:2]
        # The corners of a tilted crop lie beside what was kept.
        warped = cv2.warpAffine(kept, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        image = np.asarray(warped, np.uint8)
    return (image if rng is None else degrade(image, rng)), crop, photo


def _whole(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) of a (2, 3) affine map."""
    return np.vstack([affine, [0.0, 0.0, 1.0]])


def _collate(cuts: list[_Cut]) -> PhotoBatch:
    labels = [photo.label for _, _, photo in cuts]
    names = [photo.person for _, _, photo in cuts]
    centres = np.array([label.camera.centre for label in labels])
    crops = np.array([[crop.x, crop.y, crop.half] for _, crop, _ in cuts])
    focal = np.array([label.camera.focal for label in labels])
    landmarks = np.stack([crop.to_crop(photo.label.landmarks[:, :2]) for _, crop, photo in cuts])
    head = np.stack([label.translation for label in labels])
    origin = head[:, :2] / head[:, 2:] * focal[:, None] + centres

    def tensor(values: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32))

    return PhotoBatch(
        image=torch.from_numpy(np.stack([image for image, _, _ in cuts])).permute(0, 3, 1, 2).float() / 255,
        landmarks=tensor(landmarks),
        expression=tensor(np.stack([label.expression for label in labels])),
        camera=CropCamera(tensor(crops[:, :2] - centres), tensor(crops[:, 2]), tensor(focal)),
        scale=tensor(focal / (head[:, 2] * crops[:, 2])),
        place=tensor((origin - crops[:, :2]) / crops[:, 2:]),
        gaze=tensor(np.stack([label.gaze for label in labels])),
        people=tuple(names.index(name) for name in names),
    )
