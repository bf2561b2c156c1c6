"""Exceptions and their exit statuses.

    DigitcliError                1  the job itself failed
    ├── TrainingError            1  the loss is no longer a number, and the like
    ├── ExportError              1  an exported model disagrees with its original
    ├── OptionError              2  a command-line value that cannot be used
    ├── InputError               3  an input that cannot be read or is not what it must be
    │   ├── DataError            3      images and labels
    │   ├── ImageError           3      an image file, or pixels
    │   │   └── TooLargeError    3      more of them than are decoded
    │   ├── RecipeError          3      a recipe's TOML file
    │   └── ModelError           3      a model file
    ├── MissingError             4  something needed is not there
    └── InterruptedRun         130  Ctrl-C during a training run

Messages are whole sentences for the user: what was found where, what was expected, what to do.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INPUT = 3
    MISSING = 4
    INTERRUPTED = 130


def first_line(error: BaseException) -> str:
    """Return what a library says is wrong, in one line; its kind of error where it says nothing."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


class DigitcliError(Exception):
    """Base of every error that is meant for the user."""

    exit_code = ExitCode.FAILED


class TrainingError(DigitcliError):
    """Training cannot continue."""


class ExportError(DigitcliError):
    """An exported model does not do what its original does."""


class OptionError(DigitcliError):
    """A command-line value that turns out unusable once the inputs are known."""

    exit_code = ExitCode.USAGE


class InputError(DigitcliError):
    """An input cannot be read or is not what it must be."""

    exit_code = ExitCode.INPUT


class DataError(InputError):
    """A data source cannot be read or does not hold labelled digits."""


class ImageError(InputError):
    """An image cannot be decoded, is too large, or is no array of pixels."""


class TooLargeError(ImageError):
    """An image has more bytes or pixels than are decoded."""


class RecipeError(InputError):
    """A recipe file cannot be read or has problems; all of them are in the message."""


class ModelError(InputError):
    """A model file cannot be read or does not take and give what a digit reader must."""


class MissingError(DigitcliError):
    """A model, a display or a package is needed and not there."""

    exit_code = ExitCode.MISSING


class InterruptedRun(DigitcliError):
    """The user stopped a training run; the message says what was kept."""

    exit_code = ExitCode.INTERRUPTED
