"""Every visible string passes `tr`, so that a translation file is all a further language needs."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def tr(text: str, **values: object) -> str:
    """The text in the user's language.

    Args:
        text: in English, with {names} for what is put in.
        values: what is put in, after the translation.
    """
    translated = QCoreApplication.translate("Mien", text)
    return translated.format(**values) if values else translated
