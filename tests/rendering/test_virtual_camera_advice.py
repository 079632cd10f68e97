"""Every message of every back end becomes what the user must do, on that system."""

from __future__ import annotations

import pytest

from rendering.virtual_camera.advice import INSTALL, advise, remedy


@pytest.mark.parametrize(
    ("platform", "backend", "said", "does"),
    [
        (
            "linux",
            "v4l2loopback",
            "No v4l2 loopback device found at /dev/video[0-99]. Did you run 'modprobe v4l2loopback'? See also "
            "pyvirtualcam's documentation.",
            "sudo modprobe v4l2loopback devices=1 exclusive_caps=1",
        ),
        (
            "linux",
            "v4l2loopback",
            "Could not access /dev/video0 due to missing permissions. Did you add your user to the 'video' group?",
            "usermod -a -G video",
        ),
        ("linux", "v4l2loopback", "Device /dev/video0 is not a video output device.", "choose a loopback device"),
        ("linux", "v4l2loopback", "Device /dev/video0 is not a V4L2 device.", "v4l2-ctl --list-devices"),
        ("linux", "v4l2loopback", "Device /dev/video10 is already in use.", "devices=2"),
        (
            "linux",
            "v4l2loopback",
            "Virtual camera device /dev/video10 could not be configured: Device or resource busy",
            "close the programs",
        ),
        (
            "linux",
            "v4l2loopback",
            "Virtual camera device /dev/video10 could not be configured: Invalid argument",
            "close the programs that read it",
        ),
        ("linux", "v4l2loopback", "Device /dev/video77 could not be opened: No such file", "check its name"),
        ("linux", "v4l2loopback", "Device capabilities of /dev/video3 could not be queried.", "choose another"),
        ("win32", "obs", "OBS Virtual Camera device not found! Did you install OBS?", "install OBS Studio"),
        ("win32", "obs", "virtual camera output could not be started", "stop the virtual camera in OBS"),
        ("win32", "unitycapture", "No camera registered. Did you install any camera?", "Install.bat"),
        ("win32", "unitycapture", "No camera registered with this name.", "leave the device empty"),
        (
            "darwin",
            "obs",
            "OBS Virtual Camera is not installed in your system. Use the Virtual Camera function in OBS 30.0 or later "
            "to trigger the installation and activate the System Extension in System Settings. [Device not found]",
            "press Start Virtual Camera once",
        ),
        (
            "darwin",
            "obs",
            "OBS Virtual Camera is not installed in your system. Use the Virtual Camera function in OBS to trigger "
            "installation.",
            "start OBS (30 or newer)",
        ),
        ("darwin", "obs", "This backend supports only the 'OBS Virtual Camera' device.", "leave the device empty"),
        ("win32", "spout", "import: No module named 'SpoutGL'", "pip install SpoutGL"),
        ("darwin", "syphon", "import: No module named 'syphon'", "pip install syphon-python"),
        ("linux", "ndi", "import: No module named 'cyndilib'", "pip install cyndilib"),
        ("linux", "auto", "import: No module named 'pyvirtualcam'", INSTALL),
        ("linux", "obs", "not on this system, which has v4l2loopback", "choose auto, or one of v4l2loopback, ndi"),
        ("linux", "memory", "Permission denied", "permissions"),
    ],
)
def test_known_messages(platform: str, backend: str, said: str, does: str) -> None:
    sentence = remedy(backend, said, platform)
    assert does in sentence
    assert sentence.endswith(".") and "\n" not in sentence


def test_an_unknown_message_is_quoted() -> None:
    assert remedy("obs", "the moon is full.", "win32") == (
        "The virtual camera cannot be started (the moon is full): restart the program that uses it, or choose another "
        "back end."
    )


def test_one_line_a_back_end() -> None:
    found = advise(
        "'obs' backend: OBS Virtual Camera device not found! Did you install OBS?\n"
        "'unitycapture' backend: No camera registered. Did you install any camera?\nReally none.\n",
        "win32",
    )
    assert [a.backend for a in found] == ["obs", "unitycapture"]
    assert "OBS Studio" in found[0].remedy and found[1].said.endswith("Really none.")


def test_a_message_without_a_back_end() -> None:
    (only,) = advise("something odd", "linux")
    assert only.said == "something odd" and "something odd" in only.remedy
    (silent,) = advise("", "linux")
    assert silent.remedy
