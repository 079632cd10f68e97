"""Retargeting: a tracked face drives somebody else's avatar.

`Retargeter` applies an avatar's settings to each frame; `ExpressionMap` finds the weights of its expressions.
"""

from typing import TYPE_CHECKING

from models.late_names import late_names

if TYPE_CHECKING:
    from tracking.retarget.apply import Driven, Retargeter, driven_from
    from tracking.retarget.presets import ExpressionMap, automatic_settings, usual_hotkeys
    from tracking.retarget.settings import (
        ChannelCurve,
        GazeSettings,
        HeadSettings,
        Hotkey,
        HotkeySettings,
        IdleSettings,
        RetargetFileError,
        RetargetSettings,
        load_settings,
        save_settings,
        settings_file,
    )

__all__ = [
    "ChannelCurve",
    "Driven",
    "ExpressionMap",
    "GazeSettings",
    "HeadSettings",
    "Hotkey",
    "HotkeySettings",
    "IdleSettings",
    "RetargetFileError",
    "RetargetSettings",
    "Retargeter",
    "automatic_settings",
    "driven_from",
    "load_settings",
    "save_settings",
    "settings_file",
    "usual_hotkeys",
]

__getattr__ = late_names(
    __name__,
    {
        **dict.fromkeys(__all__, "settings"),
        **dict.fromkeys(("Driven", "Retargeter", "driven_from"), "apply"),
        **dict.fromkeys(("ExpressionMap", "automatic_settings", "usual_hotkeys"), "presets"),
    },
)
