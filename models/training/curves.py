"""Learning curves as a table that any program reads."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np


class Curves:
    """Collects losses and appends a row at each evaluation.

    Args:
        path: CSV file; an existing one is continued.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._terms: dict[str, list[float]] = {}

    @property
    def loss(self) -> float:
        """Mean sum of the latest terms, the gradient's norm left out; not a number before the first."""
        recent = [np.mean(v[-50:]) for k, v in self._terms.items() if k != "gradient"]
        return float(np.sum(recent)) if recent else float("nan")

    def add(self, terms: Mapping[str, float]) -> None:
        """One step's terms."""
        for name, value in terms.items():
            self._terms.setdefault(name, []).append(value)

    def write(self, step: int, elapsed_s: float, batch: int, figures: Mapping[str, float]) -> None:
        """Appends a row: mean losses since the last one, and the held-out figures. New columns rewrite the table."""
        row: dict[str, str] = {"step": str(step), "minutes": f"{elapsed_s / 60:.2f}", "images": str(step * batch)}
        row |= {f"loss_{k}": f"{np.mean(v):.6g}" for k, v in self._terms.items() if v}
        row |= {k: f"{v:.6g}" for k, v in figures.items()}
        self._terms = {}
        rows = [*self._rows(), row]
        columns = list(dict.fromkeys(key for r in rows for key in r))
        with self._path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)

    def _rows(self) -> list[dict[str, str]]:
        if not self._path.exists():
            return []
        with self._path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
