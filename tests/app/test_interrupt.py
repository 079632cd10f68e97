"""Ctrl-C ends long work, even where Python lost it on its way."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, heed_interrupts

_LOST = """
import os, signal
from app.cli.interrupt import check_interrupt, note_interrupts
note_interrupts()
class Careless:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000): pass
Careless()
print("lost", flush=True)
try:
    check_interrupt()
except KeyboardInterrupt:
    print("found", flush=True)
check_interrupt()
print("once", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of Windows are others")
def test_an_interrupt_inside_a_destructor_is_not_forgotten() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOST], capture_output=True, text=True, timeout=60, cwd=ROOT, preexec_fn=heed_interrupts
    )
    assert done.stdout.split() == ["lost", "found", "once"], done.stderr
