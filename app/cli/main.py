"""Finds the command, runs it, and turns errors into one sentence.

Nothing heavy is imported here: a command's module is loaded once it is asked for, so that `--help` answers at once.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import FrameType

from app.cli.interrupt import note_interrupts
from app.cli.quick_start import quick_start
from app.errors import sentence_for

UNUSABLE, FAILED, INTERRUPTED = 2, 1, 130
"""Exit statuses: the command or its input cannot be used; a part of the work failed; Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the program.

    Attributes:
        name: as typed; two words for a command of a group.
        module: where it is done.
        summary: one line for the overview.
        function: `(args, prog) -> int` in the module, which parses the rest of the command line.
    """

    name: str
    module: str
    summary: str
    function: str = "run"


COMMANDS = (
    Command("demo", "app.cli.demo", "Show the clip that comes with Mien, tracked live; render it without a display."),
    Command("track", "app.cli.track", "Track videos, pictures, folders or a camera into tables and rendered videos."),
    Command("live", "app.cli.live", "Send a face to other programs: network streams, a virtual camera."),
    Command("export", "app.cli.export", "Export sessions for Blender, Unreal, spreadsheets, video and more."),
    Command("session info", "app.cli.session_info", "List what a session holds, before you share it."),
    Command("clean", "app.cli.derive", "Clean up the curves of a session: gaps, spikes, noise.", "run_clean"),
    Command("reprocess", "app.cli.derive", "Track the pictures of a session again.", "run_reprocess"),
    Command("record", "app.cli.record", "Record a camera or a clip: pictures, sound and all that is tracked."),
    Command("recover", "app.cli.recover", "Mend recordings that were cut short."),
    Command("calibrate", "app.cli.calibrate", "Store a person's neutral face, from a camera or a video."),
    Command(
        "avatar create", "app.cli.avatar", "Make an avatar of a person from a camera, clip or photos.", "run_create"
    ),
    Command("avatar list", "app.cli.avatar", "List your avatars and those that ship.", "run_list"),
    Command("avatar export", "app.cli.avatar", "Write a copy of an avatar.", "run_export"),
    Command("avatar import", "app.cli.avatar", "Take an avatar file into your collection.", "run_import"),
    Command("avatar rename", "app.cli.avatar", "Give an avatar another name.", "run_rename"),
    Command("avatar delete", "app.cli.avatar", "Delete an avatar for good.", "run_delete"),
    Command("avatar sheet", "app.cli.avatar", "Draw an avatar from all sides, with expressions.", "run_sheet"),
    Command("label", "app.cli.label", "Write label files of pictures and clips, for training."),
    Command("train coarse", "app.cli.train_coarse", "Train the coarse network."),
    Command("train teacher", "app.cli.train_detail", "Train the teacher of the detail network.", "run_teacher"),
    Command("train detail", "app.cli.train_detail", "Train the detail network.", "run_detail"),
    Command("evaluate landmarks", "app.cli.evaluate_landmarks", "Measure errors against hand-made landmarks."),
    Command("evaluate detail", "app.cli.evaluate_detail", "Measure wrinkles on unseen people and a head scan."),
    Command(
        "evaluate protocol", "app.cli.evaluate_protocol", "Measure on 300-W, 300-VW or FaceScape, beside other methods."
    ),
    Command("evaluate coarse", "app.cli.evaluate_coarse", "Measure the coarse network alone on rendered faces."),
    Command("evaluate lead", "app.cli.evaluate_lead", "Measure a leading coarse network beside detector and fit."),
    Command("evaluate jitter", "app.cli.evaluate_jitter", "Measure jitter against lag on a clip, beside MediaPipe's."),
    Command(
        "evaluate person", "app.cli.evaluate_person", "Measure what a person's own model gains over the base model."
    ),
    Command("evaluate driving", "app.cli.evaluate_driving", "Measure whether an avatar does what drives it."),
    Command("evaluate synthetic", "app.cli.evaluate_synthetic", "Measure errors on rendered faces of known truth."),
    Command(
        "evaluate ablation", "app.cli.evaluate_ablation", "Train with and without parts of the method, and compare."
    ),
    Command("benchmark", "app.cli.benchmark", "Measure speed, latency and memory on this machine."),
    Command("benchmark-window", "app.cli.benchmark_window", "Measure the window: rates, delay, processor, memory."),
    Command(
        "doctor", "app.cli.doctor", "Check cameras, graphics, audio and model files; say how to get what is missing."
    ),
    Command("face-model info", "app.cli.face_model_info", "Describe a face model file."),
    Command("face-model sheet", "app.cli.face_model_sheet", "Draw what a face model can do."),
    Command("face-model convert-flame", "app.cli.face_model_convert", "Convert your FLAME file.", "run_flame"),
    Command("face-model convert-ict", "app.cli.face_model_convert", "Convert an ICT-FaceKit folder.", "run_ict"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in args
    if debug:
        args.remove("--debug")
    _set_up_logging(debug)
    try:
        note_interrupts()
        _terminate_like_interrupt()
        return _dispatch(args)
    except KeyboardInterrupt:
        print("Interrupted. What was written so far is kept.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED
    except Exception as error:
        if debug:
            raise
        sentence = sentence_for(error)
        if sentence is not None:
            print(sentence, file=sys.stderr)
            return UNUSABLE
        text = " ".join(str(error).split())
        print(
            f"Something went wrong that should not have ({type(error).__name__}: {text}): please report it, with what"
            " `--debug` adds to the output.",
            file=sys.stderr,
        )
        return FAILED


def program_name() -> str:
    """What the user typed to start the program."""
    return "mien" if sys.argv[0].endswith(("mien", "mien.exe")) else "python main.py"


def overview(group: str = "") -> str:
    """The list of commands, of one group if named."""
    prog = program_name()
    shown = [command for command in COMMANDS if not group or command.name.startswith(f"{group} ")]
    width = max(len(command.name) for command in shown)
    lines = [f"usage: {prog} {f'{group} ' if group else ''}COMMAND [OPTIONS]", ""]
    if not group:
        lines += ["Real-time face tracking and animation. Without a command the window opens.", ""]
    lines += [f"  {command.name:{width}}  {command.summary}" for command in shown]
    lines += ["", f"`{prog} COMMAND --help` lists a command's options; `--debug` shows the details of an error."]
    return "\n".join(lines)


def _dispatch(args: list[str]) -> int:
    if not args:
        return _open_window()
    if args[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if args[0] in ("-V", "--version"):
        from recordings.versions import package_version

        print(f"mien {package_version('mien')}")
        return 0
    for command in COMMANDS:
        words = command.name.split()
        if args[: len(words)] == words:
            run = getattr(import_module(command.module), command.function)
            return int(run(args[len(words) :], prog=f"{program_name()} {command.name}"))
    groups = {command.name.split()[0] for command in COMMANDS if " " in command.name}
    if args[0] in groups:
        if len(args) == 1 or args[1] in ("-h", "--help"):
            print(overview(args[0]))
            return 0 if len(args) > 1 else UNUSABLE
        args = [" ".join(args[:2])]
    print(f"There is no command {args[0]!r}: `{program_name()} --help` lists the commands.", file=sys.stderr)
    return UNUSABLE


def _open_window() -> int:
    """The window, on whatever was open last.

    Raises:
        CommandError: there is no display.
    """
    from app.errors import CommandError
    from app.machine import has_display

    if not has_display():
        raise CommandError(
            f"There is no display to open the window on: `{program_name()} demo` tracks the bundled clip without one,"
            f" and `{program_name()} --help` lists what else works."
        )
    with quick_start():
        from app.window.run import leave, run_window

    run_window()
    return leave(0)


def _set_up_logging(debug: bool) -> None:
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().setLevel(logging.DEBUG if debug else logging.WARNING)
    for talkative in ("matplotlib", "numba", "PIL"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def _terminate_like_interrupt() -> None:
    """A polite `kill` ends a command as Ctrl-C does, with its files finished."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        signal.signal(signal.SIGTERM, interrupt)
    except ValueError:
        pass  # not in the main thread, as in tests
