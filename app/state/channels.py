"""The 52 channels as people read them: groups, and left and right side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.channels import ARKIT_CHANNELS, CHANNEL_INDEX

GROUPS = (("Brows", "brow"), ("Eyes", "eye"), ("Cheeks, nose", "cheek nose"), ("Jaw", "jaw"), ("Mouth", "mouth"))


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One line of the expression panel.

    Attributes:
        label: in words.
        indices: places in the 52: one, or the subject's left and right.
        names: of these channels.
    """

    label: str
    indices: tuple[int, ...]
    names: tuple[str, ...]


def _in_words(name: str, prefix: str) -> str:
    rest = re.sub(r"(Left|Right)$", "", name) if f"{prefix}{'Left'}" != name and f"{prefix}{'Right'}" != name else name
    rest = rest[len(prefix) :] or rest
    words = re.findall(r"[A-Z][a-z]*|[a-z]+", rest)
    return " ".join(words).capitalize()


def _rows(prefixes: str) -> tuple[ChannelRow, ...]:
    rows = []
    for name in ARKIT_CHANNELS:
        prefix = next((p for p in prefixes.split() if name.startswith(p)), None)
        if prefix is None:
            continue
        label = _in_words(name, prefix)
        if prefix in ("cheek", "nose"):
            label = f"{prefix.capitalize()} {label.lower()}"
        other = name[:-4] + "Right" if name.endswith("Left") else None
        if name.endswith("Right") and name[:-5] + "Left" in CHANNEL_INDEX and len(name) > len(prefix) + 5:
            continue  # stands beside its left
        if other in CHANNEL_INDEX and len(name) > len(prefix) + 4:
            rows.append(ChannelRow(label, (CHANNEL_INDEX[name], CHANNEL_INDEX[str(other)]), (name, str(other))))
        else:
            rows.append(ChannelRow(label, (CHANNEL_INDEX[name],), (name,)))
    return tuple(rows)


def channel_groups() -> tuple[tuple[str, tuple[ChannelRow, ...]], ...]:
    """(heading, rows) for all 52 channels, each once."""
    groups = [(heading, _rows(prefixes)) for heading, prefixes in GROUPS]
    tongue = CHANNEL_INDEX["tongueOut"]
    heading, rows = groups[-1]
    groups[-1] = heading, (*rows, ChannelRow("Tongue out", (tongue,), ("tongueOut",)))
    return tuple(groups)
