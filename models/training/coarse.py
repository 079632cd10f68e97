"""Training of the coarse ViT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from models.channels import ARKIT_CHANNELS, GAZE_CHANNELS
from models.differentiable.face import FacePoints
from models.differentiable.projection import head_place, to_camera, to_crop
from models.face_model import FaceModel, load_face_model
from models.losses.labels import camera_loss, channel_lean_loss, channel_loss, gaze_loss, point_loss, rotation_loss
from models.losses.landmarks import INNER, landmark_loss, pair_loss
from models.losses.pixels import photometric_loss
from models.networks.presets import PresetName, preset
from models.networks.vit import CoarseLayout, CoarseOutput, CoarseViT
from models.training.coarse_features import FaceNetworkFiles, FeatureTerms
from models.training.coarse_photograph import PhotographTerms, consistency
from models.training.data.coarse_batches import CoarseBatch, RenderedCrops, endless
from models.training.data.coarse_photos import PhotoBatch, Photos
from models.training.export import start_from
from models.training.imitation import ImitationSettings

SHOWN = [i for i in range(len(ARKIT_CHANNELS)) if i not in GAZE_CHANNELS]
OUTER_EYES_68 = (36, 45)
OUTER_EYES_478 = (33, 263)
FACE_POINTS = 468
"""Of the 478 landmarks, those on the face; the others are the irises, which turn with the eyes."""
LIDS_AND_LIPS = ((159, 145), (386, 374), (0, 17), (13, 14))
"""Of the 478 landmarks: upper and lower lid of either eye, upper and lower lip outside and inside."""
SHEET = 8


class CoarseWeights(BaseModel):
    """Weights of the losses against rendered labels; units as in `models.losses`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    landmarks: float = 6.0
    """68 and 478 landmarks, crop coordinates."""
    points: float = 8.0
    """The readout's points against the 68 landmarks, crop coordinates, where the network has such a readout."""
    mesh: float = 200.0
    """The close looks' landmarks, crop coordinates, where the network takes such looks. Heavy: with light ones they
    learned next to nothing, since the channels' gradients are nearly all noise until lids and lips are found."""
    pairs: float = 15.0
    """Opening of eyes and mouth, crop coordinates."""
    channels: float = 100.0
    """The 52 channels."""
    lean: float = 0.0
    """The 52 channels' absolute error, see `channel_lean_loss`; for a network that knows them already."""
    rotation: float = 3.0
    """Head rotation."""
    gaze: float = 12.0
    """Radians."""
    camera: float = 3.0
    """Log scale and place."""
    shape: float = 100.0
    """Landmarks of the neutral face and of the face with its expression, metres, head frame."""
    identity: float = 0.02
    """Mean square of the coefficients' error."""
    light: float = 0.1
    """L1 of the spherical harmonics."""
    photo_landmarks: float = 6.0
    """Detected landmarks of photographs, crop coordinates."""
    photo_mesh: float = 150.0
    """The close looks' landmarks against the detected ones of photographs, crop coordinates."""
    photo_channels: float = 20.0
    """Fitted channels of photographs, which are themselves estimates."""
    photo_camera: float = 0.5
    """Fitted log scale and place of photographs."""
    photo_identity: float = 0.02
    """Mean square of the identity coefficients on photographs: the supplement's L_reg, for nothing else holds them."""
    photo_pairs: float = 0.0
    """L_spL on photographs: opening of lids and lips of the detected landmarks, crop coordinates."""
    photometric: float = 0.0
    """L_pho on photographs, see `coarse_photograph`; it alone tells albedo, and light of real pictures."""
    consistency: float = 0.0
    """L_sc: the photographs' landmarks, pairs and L_pho again, with another picture's identity of the same person."""
    identity_features: float = 0.0
    """L_id on photographs, by the network `networks.identity`; the supplement's 0.1."""
    emotion: float = 0.0
    """L_emo, by `networks.emotion`; the supplement's 1."""
    lip_reading: float = 0.0
    """L_lr, by `networks.lips`; the supplement's 0.05."""
    photo_albedo: float = 0.0
    """Mean square of the albedo coefficients on photographs: L_reg's share of them."""


class CoarseSettings(BaseModel):
    """What a coarse network is trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: PresetName = "lite"
    """Size of the network."""
    image_size: int = Field(default=256, ge=64)
    """Side of the crops in pixels."""
    learn: Literal["all", "glimpses"] = "all"
    """What learns: the whole network, or the close looks alone, several times faster, on one that has points."""
    photo_share: float = Field(default=0.2, ge=0, lt=1)
    """Share of a batch that are photographs, where there are labels of any."""
    imitation: ImitationSettings | None = None
    """Whom the network imitates before labels teach it, see `imitation`; then the weights of losses do not matter."""
    networks: FaceNetworkFiles = FaceNetworkFiles()
    """Files of the networks that compare photographs with drawn faces."""
    weights: CoarseWeights = CoarseWeights()
    """Of the losses."""


@dataclass(frozen=True, slots=True)
class MixedBatch:
    """Rendered faces, and photographs where there are any."""

    rendered: CoarseBatch
    photos: PhotoBatch | None

    def to(self, device: torch.device) -> MixedBatch:
        """On another device."""
        return MixedBatch(self.rendered.to(device), None if self.photos is None else self.photos.to(device))


@dataclass(frozen=True, slots=True)
class _Points:
    rest: Tensor
    posed: Tensor
    picture: Tensor


class CoarseStage:
    """The coarse ViT on rendered faces. See `loop.Stage`.

    Args:
        settings: see CoarseSettings.
        pictures, held_out: folders of shards.
        labels: folder of label files of photographs and clips, None for none.
        wait_s: how long to wait for the first shard.
        model: the face model.
        start: weights to begin with, None for fresh ones, see `start_from`.

    Raises:
        ValueError: the close looks are to learn alone in a network that has none.
        FeatureFileError: a file under `networks` cannot be used, or is missing for a loss that has a weight.
        WeightsError, TrainingError: `start` cannot be used.
    """

    name = "coarse"
    score = "inner51_percent"
    higher_is_better = False

    def __init__(
        self, settings: CoarseSettings, pictures: Path, held_out: Path, labels: Path | None = None,
        wait_s: float = 600.0, model: FaceModel | None = None, start: Path | None = None,
    ) -> None:  # fmt: skip
        model = model or load_face_model()
        self.settings = settings
        torch.manual_seed(0)
        self.vit = CoarseViT(preset(settings.preset).vit, CoarseLayout())
        self.networks: Mapping[str, nn.Module] = {"vit": self.vit}
        if start is not None:
            start_from(start, "vit", self.vit, may_lack="glimpses.")
        if settings.learn == "glimpses":
            if self.vit.glimpses is None:
                raise ValueError(f"the preset {settings.preset} takes no close looks that could learn")
            self.vit.requires_grad_(False)
            self.vit.glimpses.requires_grad_(True)
        count = self.vit.layout.identity
        self._face68 = FacePoints.of_embedding(model, model.landmarks68, count)
        self._face478 = FacePoints.of_embedding(model, model.landmarks478, count)
        w = settings.weights
        self._features = FeatureTerms(
            settings.networks, {"identity": w.identity_features, "emotion": w.emotion, "lips": w.lip_reading}
        )
        drawn = w.photometric > 0 or bool(self._features.weights)
        self._photograph = PhotographTerms(model, self.vit.layout) if drawn and labels is not None else None
        self._pictures = RenderedCrops(pictures, wait_s)
        self._held_out = RenderedCrops(held_out, wait_s)
        self._photos = None if labels is None else Photos(labels, "train", model=model)
        self._held_out_photos = None if labels is None else Photos(labels, "test", model=model)
        self._device = torch.device("cpu")

    def batches(self, size: int, seed: int, device: torch.device) -> Iterator[MixedBatch]:
        """Endless random crops."""
        self._device = device
        self._face68.to(device)
        self._face478.to(device)
        if self._photograph is not None:
            self._photograph.to(device)
            self._features.to(device)
        paired = self.settings.weights.consistency > 0
        image_size, photos = self.settings.image_size, self._photos
        shown = 0 if photos is None else round(size * self.settings.photo_share)

        def make(rng: np.random.Generator) -> MixedBatch:
            real = photos.batch(shown, image_size, rng, paired) if photos is not None and shown else None
            return MixedBatch(self._pictures.batch(size - shown, image_size, rng), real)

        for batch in endless(make, seed):
            yield batch.to(device)

    def losses(self, batch: MixedBatch, progress: float) -> dict[str, Tensor]:
        """All terms, weighted."""
        rendered, photos = batch.rendered, batch.photos
        images = rendered.image if photos is None else torch.cat([rendered.image, photos.image])
        raw, points, mesh = self.vit.with_points(images)
        with torch.autocast(images.device.type, enabled=False):
            count = len(rendered.image)
            terms = self._terms(self.vit.read(raw[:count]), rendered)
            identity = rendered.identity[:, : self.vit.layout.identity]
            if points is not None:
                truth = self._truth(self._face68, rendered, identity).picture
                terms["points"] = self.settings.weights.points * landmark_loss(points[:count, :68], truth)
            if mesh is not None:
                truth = self._truth(self._face478, rendered, identity).picture[:, :FACE_POINTS]
                terms["mesh"] = self.settings.weights.mesh * landmark_loss(mesh[:count, :FACE_POINTS], truth)
            if photos is not None:
                terms |= self._photo_terms(self.vit.read(raw[count:]), photos)
                if mesh is not None:
                    terms["photo_mesh"] = self.settings.weights.photo_mesh * landmark_loss(
                        mesh[count:], photos.landmarks
                    )
            return terms

    def _photo_terms(self, found: CoarseOutput, photos: PhotoBatch) -> dict[str, Tensor]:
        w = self.settings.weights
        seen = self._seen_terms(found, photos)
        if w.consistency:
            seen["consistency"] = w.consistency * consistency(
                found, photos, lambda swapped: torch.stack(list(self._seen_terms(swapped, photos).values())).sum()
            )
        if w.photo_albedo:
            seen["photo_albedo"] = w.photo_albedo * found.albedo.square().mean()
        return seen | {
            "photo_channels": w.photo_channels * channel_loss(found.expression[:, SHOWN], photos.expression[:, SHOWN]),
            "photo_camera": w.photo_camera * camera_loss(found.scale, found.place, photos.scale, photos.place),
            "photo_identity": w.photo_identity * found.identity.square().mean(),
        }  # fmt: skip

    def _seen_terms(self, found: CoarseOutput, photos: PhotoBatch) -> dict[str, Tensor]:
        """What must explain the picture with whichever identity: L_c without its regularisation and L_sc."""
        w = self.settings.weights
        posed = self._face478(found.identity, found.expression)
        translation = head_place(found.scale, found.place, photos.camera)
        points = to_crop(to_camera(posed, found.rotation, translation), translation, photos.camera)
        own, detected = points[:, :FACE_POINTS], photos.landmarks[:, :FACE_POINTS]
        terms = {"photo_landmarks": w.photo_landmarks * landmark_loss(own, detected)}
        if w.photo_pairs:
            terms["photo_pairs"] = w.photo_pairs * pair_loss(own, detected, LIDS_AND_LIPS)
        if self._photograph is not None:
            pictures, drawn, masks = self._photograph.beside(found, photos)
            if w.photometric:
                terms["photometric"] = w.photometric * photometric_loss(pictures, drawn, masks)
            terms |= self._features(pictures, drawn, masks, photos.landmarks)
        return terms

    def _terms(self, found: CoarseOutput, batch: CoarseBatch) -> dict[str, Tensor]:
        w = self.settings.weights
        count = self.vit.layout.identity
        identity = batch.identity[:, :count]
        own68, own478 = self._of(self._face68, found, batch), self._of(self._face478, found, batch)
        true68, true478 = (self._truth(f, batch, identity) for f in (self._face68, self._face478))
        # An eye that is turned away or shut says nothing about its gaze.
        yaw = torch.atan2(batch.seen[:, 0, 2], batch.seen[:, 2, 2])
        open_eyes = 1 - batch.expression[:, [0, 7]]
        visible = open_eyes * (torch.stack([-yaw, yaw], 1) < 0.9)
        return {
            "landmarks": w.landmarks * (landmark_loss(own68.picture, true68.picture)
                                        + landmark_loss(own478.picture, true478.picture)),
            "pairs": w.pairs * pair_loss(own68.picture, true68.picture),
            "channels": w.channels * channel_loss(found.expression[:, SHOWN], batch.expression[:, SHOWN]),
            "lean": w.lean * channel_lean_loss(found.expression[:, SHOWN], batch.expression[:, SHOWN]),
            "rotation": w.rotation * rotation_loss(found.rotation, batch.seen),
            "gaze": w.gaze * gaze_loss(found.gaze, batch.gaze, visible),
            "camera": w.camera * camera_loss(found.scale, found.place, batch.scale, batch.place),
            "shape": w.shape * (point_loss(own478.rest, true478.rest) + point_loss(own478.posed, true478.posed)),
            "identity": w.identity * (found.identity - identity).square().mean(),
            "light": w.light * (found.light - batch.light).abs().mean(),
        }  # fmt: skip

    def _of(self, face: FacePoints, found: CoarseOutput, batch: CoarseBatch) -> _Points:
        rest = face.neutral(found.identity)
        posed = face(found.identity, found.expression)
        translation = head_place(found.scale, found.place, batch.camera)
        points = to_camera(posed, found.rotation, translation)
        return _Points(rest, posed, to_crop(points, translation, batch.camera))

    @staticmethod
    def _truth(face: FacePoints, batch: CoarseBatch, identity: Tensor) -> _Points:
        with torch.no_grad():
            posed = face(identity, batch.expression)
            points = to_camera(posed, batch.seen, batch.translation)
            return _Points(face.neutral(identity), posed, to_crop(points, batch.translation, batch.camera))

    def evaluate(self, limit: int = 960) -> dict[str, float]:
        """Held-out people: landmark error in percent of the outer-eye distance, channels, rotation, gaze.

        Args:
            limit: pictures that are looked at.
        """
        errors, angles, gazes, found_channels, true_channels = [], [], [], [], []
        for batch in self._held_out.fixed(self.settings.image_size, limit):
            batch = batch.to(self._device)
            found = self.vit.read(self.vit(batch.image))
            own = self._of(self._face68, found, batch)
            true = self._truth(self._face68, batch, batch.identity[:, : self.vit.layout.identity])
            distance = (own.picture - true.picture)[:, INNER].norm(dim=2).mean(dim=1)
            # The distance between the outer corners of the eyes in space, so that profiles count as the others do.
            corners = true.posed[:, OUTER_EYES_68[0]] - true.posed[:, OUTER_EYES_68[1]]
            errors.append(distance / (corners.norm(dim=1) * batch.scale))
            cosine = ((found.rotation * batch.seen).sum(dim=(1, 2)) - 1) / 2
            angles.append(torch.rad2deg(torch.arccos(cosine.clamp(-1, 1))))
            gazes.append(torch.rad2deg((found.gaze - batch.gaze).abs().mean(dim=(1, 2))))
            found_channels.append(found.expression[:, SHOWN].clamp(0, 1))
            true_channels.append(batch.expression[:, SHOWN])
        channels, truth = torch.cat(found_channels), torch.cat(true_channels)
        return self._photo_figures() | {
            "inner51_percent": 100 * float(torch.cat(errors).mean()),
            "channel_error_share": float((channels - truth).abs().mean() / truth.abs().mean()),
            "channel_correlation": _median_correlation(channels, truth),
            "rotation_degrees": float(torch.cat(angles).mean()),
            "gaze_degrees": float(torch.cat(gazes).mean()),
        }

    def channel_errors(self) -> tuple[list[float], float]:
        """Root mean square error of each of the 52 channels on held-out people, and of the rotation's angles, radians.

        The eyeLook* channels, which follow from gaze, get 0.1.
        """
        squares, turns = [], []
        for batch in self._held_out.fixed(self.settings.image_size, 960):
            batch = batch.to(self._device)
            found = self.vit.read(self.vit(batch.image))
            squares.append((found.expression.clamp(0, 1) - batch.expression).square())
            cosine = ((found.rotation * batch.seen).sum(dim=(1, 2)) - 1) / 2
            turns.append(torch.arccos(cosine.clamp(-1, 1)).square())
        errors = torch.cat(squares).mean(0).sqrt().tolist()
        errors = [0.1 if i in GAZE_CHANNELS else e for i, e in enumerate(errors)]
        return errors, float((torch.cat(turns).mean() / 3).sqrt())

    def _photo_figures(self) -> dict[str, float]:
        """Error against the detector's landmarks on held-out photographs, percent of the outer-eye distance: of the
        answered face, and of the close looks' landmarks."""
        if self._held_out_photos is None:
            return {}
        errors, meshes = [], []
        for batch in self._held_out_photos.fixed(self.settings.image_size, 256):
            photos = batch.to(self._device)
            raw, _, mesh = self.vit.with_points(photos.image)
            found = self.vit.read(raw)
            posed = self._face478(found.identity, found.expression)
            translation = head_place(found.scale, found.place, photos.camera)
            points = to_crop(to_camera(posed, found.rotation, translation), translation, photos.camera)
            eyes = (photos.landmarks[:, OUTER_EYES_478[0]] - photos.landmarks[:, OUTER_EYES_478[1]]).norm(dim=1)
            distance = (points - photos.landmarks)[:, :FACE_POINTS].norm(dim=2).mean(dim=1)
            errors.append(distance / eyes)
            if mesh is not None:
                meshes.append((mesh - photos.landmarks)[:, :FACE_POINTS].norm(dim=2).mean(dim=1) / eyes)
        figures = {"photo478_percent": 100 * float(torch.cat(errors).mean())}
        return figures | ({"photo_looks_percent": 100 * float(torch.cat(meshes).mean())} if meshes else {})

    def sheet(self) -> NDArray[np.uint8] | None:
        """Held-out crops with the true (green) and the found (red) 68 landmarks."""
        batch = next(self._held_out.fixed(self.settings.image_size, SHEET, SHEET)).to(self._device)
        found = self.vit.read(self.vit(batch.image))
        own = self._of(self._face68, found, batch).picture.cpu().numpy()
        true = self._truth(self._face68, batch, batch.identity[:, : self.vit.layout.identity]).picture.cpu().numpy()
        tiles = []
        for image, found_points, true_points in zip(batch.image.cpu().numpy(), own, true, strict=True):
            tile = cv2.resize(np.ascontiguousarray(image.transpose(1, 2, 0) * 255).astype(np.uint8), (256, 256))
            for points, colour in ((true_points, (0, 220, 0)), (found_points, (255, 40, 40))):
                for x, y in (points + 1) * 128:
                    cv2.circle(tile, (round(float(x)), round(float(y))), 1, colour, -1, cv2.LINE_AA)
            tiles.append(tile)
        return np.concatenate([np.concatenate(tiles[i : i + 4], axis=1) for i in (0, 4)], axis=0).astype(np.uint8)


def _median_correlation(found: Tensor, truth: Tensor) -> float:
    """Median over channels of the correlation of (N, C) columns."""
    a, b = found - found.mean(0), truth - truth.mean(0)
    spread = (a.square().sum(0) * b.square().sum(0)).sqrt()
    return float(((a * b).sum(0) / spread.clamp_min(1e-9)).median())
