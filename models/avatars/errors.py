"""The error of everything that reads or writes avatars."""

from __future__ import annotations

__all__ = ["AvatarFileError"]


class AvatarFileError(Exception):
    """An avatar file that cannot be used or written. The message is one sentence: what was wrong and what to do."""
