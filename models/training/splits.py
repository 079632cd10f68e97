"""Who is trained on and who is not: one file, fixed before any training and used by every step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

SPLITS = Path(__file__).with_name("splits.json")

Part = Literal["train", "validation", "test"]


class People(BaseModel):
    """Names (file stems) of one folder's people or clips."""

    train: list[str]
    validation: list[str]
    test: list[str]

    def part(self, part: Part) -> list[str]:
        """The names of one part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]


class SeedRanges(BaseModel):
    """First and last seed of synthetic people, both included."""

    train: tuple[int, int]
    validation: tuple[int, int]
    test: tuple[int, int]

    def part(self, part: Part) -> range:
        """The seeds of one part."""
        first, last = {"train": self.train, "validation": self.validation, "test": self.test}[part]
        return range(first, last + 1)


class DetailSplits(BaseModel):
    """Who the detail networks learn from: people of their own, see `Splits.detail`."""

    london_set: People
    canada_set: People
    synthetic_seeds: SeedRanges


class Splits(BaseModel):
    """The file of splits. A person of a test part is never trained on, in any picture, texture or light.

    The GRID and signing clips are split by clip; who signs is not published, so people may be in two parts there.
    """

    schema_version: int = Field(default=1)
    london_set: People
    canada_set: People
    clips_grid: People
    clips_signing: People
    synthetic_seeds: SeedRanges
    detail: DetailSplits
    """For the detail networks. Figures of the general test people had a say in choosing earlier weights, so these are
    measured on other people, drawn by chance from those that nothing was measured on; they are trained from nothing."""


def load_splits(path: Path = SPLITS) -> Splits:
    """The splits that ship.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no file of splits.
    """
    return Splits.model_validate(json.loads(path.read_text(encoding="utf-8")))
