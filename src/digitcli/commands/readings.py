"""What was read, for programs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitcli.recognizer import Reading


def reading_as_json(reading: "Reading") -> dict[str, Any]:
    """Return a reading as every command and page gives it."""
    digits = [
        {
            "digit": digit.digit,
            "confidence": digit.confidence,
            "box": list(digit.box),
            "probabilities": list(digit.probabilities),
        }
        for digit in reading.digits
    ]
    return {"text": reading.text, "digits": digits}
