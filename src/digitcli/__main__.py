"""``python -m digitcli`` and the console script."""

import _thread
import contextlib
import os
import sys
import threading

_INTERRUPTED = 130  # errors.ExitCode.INTERRUPTED, which may not be imported yet when it is needed


def _unraisable(what: "sys.UnraisableHookArgs") -> None:
    """Repeat a Ctrl-C that met a callback from which no exception can rise, once that is over."""
    if what.exc_type is KeyboardInterrupt:
        threading.Timer(0.02, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(what)


def main() -> None:
    """Run the command line; Ctrl-C at any moment, start-up included, ends it with status 130."""
    sys.unraisablehook = _unraisable
    try:
        from digitcli.cli import run

        status = run()
    except KeyboardInterrupt:
        status = _INTERRUPTED
    if status:
        # Nothing is left to be done. After Ctrl-C in Python code that an extension module ran, Python
        # would end by the signal in place of the status; after an error it would wait for the import
        # of TensorFlow, if that is under way.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()
