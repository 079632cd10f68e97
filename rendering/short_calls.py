"""Lets short OpenGL calls keep Python's lock.

vispy calls OpenGL through ctypes, which gives the lock away for every call and takes it back afterwards. A picture is
some two hundred calls of a microsecond each; whenever another thread runs Python meanwhile, each of them waits for
that thread's whole turn. So calls that never take long keep the lock; those that draw, copy or compile give it away.
"""

from __future__ import annotations

import ctypes
import logging
import sys
from typing import Any

_log = logging.getLogger(__name__)

SHORT = (
    *("glActiveTexture", "glBindBuffer", "glBindFramebuffer", "glBindRenderbuffer", "glBindTexture"),
    *("glBlendFunc", "glBlendFuncSeparate", "glClearColor", "glCullFace", "glDepthFunc", "glDepthMask"),
    *("glDisable", "glDisableVertexAttribArray", "glEnable", "glEnableVertexAttribArray", "glFrontFace"),
    *("glGetError", "glPixelStorei", "glUniform1f", "glUniform1i", "glUniform2fv", "glUniform3fv", "glUniform4fv"),
    *("glUniform1fv", "glUniformMatrix3fv", "glUniformMatrix4fv", "glUseProgram", "glVertexAttribPointer"),
    "glViewport",
)
"""Calls that only note something down."""


def keep_lock_in_short_calls() -> None:
    """From now on; to be called before the first drawing. Does nothing where vispy is built in another way."""
    try:
        from vispy.gloo.gl import _gl2, gl2

        find, library = _gl2._get_gl_func, gl2._lib._name
        if sys.platform.startswith("win") or getattr(find, "keeps_lock", False):
            return  # there the calling convention is another one
        holding = ctypes.PyDLL(library)
    except (AttributeError, ImportError, OSError, TypeError) as error:
        _log.info("OpenGL calls give the lock away: %s", error)
        return

    def find_call(name: str, result: Any, arguments: tuple[Any, ...]) -> Any:
        if name not in SHORT:
            return find(name, result, arguments)
        call = getattr(holding, name)
        call.restype, call.argtypes = result, arguments
        return call

    find_call.keeps_lock = True  # type: ignore[attr-defined]
    _gl2._get_gl_func = find_call
