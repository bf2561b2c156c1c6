"""``python -m digitcli`` and the console script."""

import _thread
import contextlib
import errno
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
        from digitcli.cli.app import run

        status = run()
    except KeyboardInterrupt:
        status = _INTERRUPTED
    try:
        if sys.stdout is not None:  # closed before the program began
            sys.stdout.flush()
    except OSError as error:
        if not status and error.errno != errno.EPIPE:
            sys.stderr.write(f"Error: the output: cannot be written: {error.strerror}\n")
            status = 1  # errors.ExitCode.FAILED
    except ValueError:  # closed
        pass
    with contextlib.suppress(OSError, ValueError, AttributeError):  # or closed before it began
        sys.stderr.flush()
    # Nothing is left to be done. After Ctrl-C in Python code that an extension module ran, Python would
    # end by the signal in place of the status; after an error it would wait for the import of TensorFlow,
    # if that is under way; and taking all libraries down costs a tenth of reading an image.
    os._exit(status)


if __name__ == "__main__":
    main()
