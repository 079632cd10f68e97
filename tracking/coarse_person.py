"""The coarse network made one person's: the adapters of an avatar file, and whom they fit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.networks.stored import WeightsError

if TYPE_CHECKING:
    from torch import nn

    from models.avatars.person_file import PersonAvatar

__all__ = ["TRAINED_ON", "CoarsePerson", "with_adapters"]

PREFIX = "coarse."
"""Of the coarse network's adapters among those of an avatar file."""
TRAINED_ON = "coarse_network"
"""Of the manifest's versions: hash of the weights that the adapters belong to."""
LARGEST = 64.0
"""Of a single weight: trained ones stay below one."""


@dataclass(frozen=True, slots=True)
class CoarsePerson:
    """One person to the coarse network.

    Attributes:
        name: for people.
        identity: (K,) coefficients of the face model.
        adapters: weights by name.
        network: hash of the weights that they were trained on, see `weights_hash`.
        face_model: name of the face model.
    """

    name: str
    identity: NDArray[np.float32]
    adapters: dict[str, NDArray[Any]]
    network: str
    face_model: str

    @classmethod
    def of(cls, avatar: PersonAvatar) -> CoarsePerson:
        """The person of an avatar.

        Raises:
            WeightsError: the avatar has no adapters, or damaged ones.
        """
        manifest = avatar.manifest
        adapters = {k[len(PREFIX) :]: v for k, v in (avatar.adapters or {}).items() if k.startswith(PREFIX)}
        network = manifest.versions.get(TRAINED_ON)
        if not adapters or network is None:
            raise WeightsError(
                f"The avatar {manifest.name} has no adapters for the coarse network: make it with"
                " `avatar create --adapters`."
            )
        if not all(v.dtype == np.float32 and bool((np.abs(v) < LARGEST).all()) for v in adapters.values()):
            raise WeightsError(f"The adapters of the avatar {manifest.name} are damaged: make it anew.")
        return cls(manifest.name, avatar.identity, adapters, network, manifest.face_model)

    @classmethod
    def read(cls, path: Path) -> CoarsePerson:
        """The person of an avatar file.

        Raises:
            AvatarFileError: it is none, or damaged.
            WeightsError: see `of`.
        """
        from models.avatars.person_file import read_person  # late: few track with a person's adapters

        return cls.of(read_person(path))

    def check(self, weights: str, face_model: str) -> None:
        """Raises WeightsError where the adapters belong to other weights or another face model."""
        if weights != self.network or face_model != self.face_model:
            raise WeightsError(
                f"The adapters of the avatar {self.name} belong to another coarse network: make the avatar anew."
            )

    def key(self) -> str:
        """Tells these adapters from others: 16 hexadecimal digits."""
        digest = hashlib.sha256()
        for name in sorted(self.adapters):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(self.adapters[name]).tobytes())
        return digest.hexdigest()[:16]

    def apply(self, network: nn.Module) -> None:
        """Gives the network the adapters.

        Raises:
            WeightsError: they do not fit.
        """
        import torch

        from models.networks.adapters import VIT_SHARE, load_adapter_state

        try:
            load_adapter_state(network, {k: torch.from_numpy(v.copy()) for k, v in self.adapters.items()}, VIT_SHARE)
        except ValueError as error:
            raise WeightsError(f"The avatar {self.name} cannot be tracked with: {error}") from error


def with_adapters(avatar: PersonAvatar, adapters: dict[str, NDArray[np.float32]], network: str) -> PersonAvatar:
    """The avatar with adapters of the coarse network whose weights have that hash."""
    versions = {**avatar.manifest.versions, TRAINED_ON: network}
    return replace(
        avatar,
        manifest=avatar.manifest.model_copy(update={"versions": versions}),
        adapters={**(avatar.adapters or {}), **{PREFIX + name: value for name, value in adapters.items()}},
    )
