"""How much damage a model's readings bear: accuracy under fifteen kinds, and the least that flips one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.damage import DAMAGES, STRENGTHS, Damage, damaged
from digitcli.datasets import Digits
from digitcli.datasets.division import balanced
from digitcli.metrics import wilson_interval
from digitcli.preprocessing import Images, to_form
from digitcli.second_look import DigitReader

IMAGES = 500  # read at every strength of every damage
FLIPPED_IMAGES = 100  # of which the smallest damage is searched for

TENTH, HALF = 0.1, 0.5  # shares of readings whose flips are told

_SEED = 0  # which images; how they are damaged
_STEP = 1.0  # of strength, in which a first flip is looked for
_HALVINGS = 5  # of the step in which it was found

OnStep = Callable[[str], None]  # takes what is being done, in words


@dataclass(frozen=True)
class PreparingReader(DigitReader):
    """Reads pictures as ``predict --single`` does: each is brought into MNIST form first."""

    reader: DigitReader

    def network(self, images: Images) -> NDArray[np.float32]:
        """Return what the network alone says of pictures (N, 28, 28) uint8 of one digit each."""
        return self.reader.network(_prepared(images))

    def digits(self, images: Images) -> NDArray[np.float32]:
        """Return probabilities (N, 10) for pictures (N, 28, 28) uint8 of one digit each."""
        return self.reader.digits(_prepared(images))


def _prepared(images: Images) -> Images:
    return np.stack([to_form(image) for image in images])


@dataclass(frozen=True)
class UnderDamage:
    """How pictures with one kind of damage are read.

    Attributes:
        accuracy: at strengths 1 to 5.
        accuracy_ci95: its 95% confidence intervals (Wilson).
    """

    damage: Damage
    accuracy: tuple[float, ...]
    accuracy_ci95: tuple[tuple[float, float], ...]

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "damage": self.damage.name,
            "unit": self.damage.unit,
            "amounts": list(self.damage.amounts),
            "accuracy": list(self.accuracy),
            "accuracy_ci95": [list(interval) for interval in self.accuracy_ci95],
        }


@dataclass(frozen=True)
class Robustness:
    """The result of `measure`.

    Attributes:
        n: images read at every strength of every damage.
        undamaged: accuracy on the same images as they were.
        rows: one for each of `DAMAGES`.
    """

    n: int
    undamaged: float
    rows: tuple[UnderDamage, ...]

    @property
    def mean(self) -> float:
        """Accuracy in the mean over all damages and strengths."""
        return float(np.mean([row.accuracy for row in self.rows]))

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "n": self.n,
            "undamaged": self.undamaged,
            "mean": self.mean,
            "damages": [row.as_json() for row in self.rows],
        }


def measure(reader: DigitReader, digits: Digits, on_step: OnStep) -> Robustness:
    """Read `digits` at every strength of every damage."""

    def hits(images: Images) -> int:
        return int((reader.digits(images).argmax(axis=1) == digits.labels).sum())

    rows = []
    for damage in DAMAGES:
        on_step(f"damage: {damage.name}")
        counts = [hits(damaged(digits.images, damage, strength, _SEED)) for strength in STRENGTHS]
        rows.append(
            UnderDamage(
                damage=damage,
                accuracy=tuple(count / len(digits) for count in counts),
                accuracy_ci95=tuple(wilson_interval(count, len(digits)) for count in counts),
            )
        )
    return Robustness(len(digits), hits(digits.images) / len(digits), tuple(rows))


@dataclass(frozen=True)
class Flip:
    """A picture with the least damage at which it is read otherwise.

    Attributes:
        strength: 0..5, of which `amount` is the measure in the damage's own unit.
        original, picture: (28, 28) uint8, before and after.
        label: the digit that it is, and as which it was read.
        read: what is read after.
    """

    strength: float
    amount: float
    original: Images
    picture: Images
    label: int
    read: int


@dataclass(frozen=True)
class Flips:
    """The smallest damages of one kind that flip readings.

    Attributes:
        strengths: (N,) 0..5 for each picture; infinite where none does.
        first: the picture that takes least, None where no reading flips.
    """

    damage: Damage
    strengths: NDArray[np.float64]
    first: Flip | None

    @property
    def unflipped(self) -> float:
        """The share of pictures that are read rightly at every strength looked at."""
        return float(np.isinf(self.strengths).mean())

    def reached(self, share: float) -> float | None:
        """The strength at which that share of the readings has flipped, None where fewer do."""
        strength = float(np.quantile(self.strengths, share, method="higher"))
        return strength if np.isfinite(strength) else None

    def amount(self, share: float) -> float | None:
        """What `reached` gives, in the damage's own unit."""
        strength = self.reached(share)
        return None if strength is None else self.damage.amount(strength)

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        first = self.first
        return {
            "damage": self.damage.name,
            "unit": self.damage.unit,
            "n": len(self.strengths),
            "tenth_strength": self.reached(TENTH),
            "tenth_amount": self.amount(TENTH),
            "median_strength": self.reached(HALF),
            "median_amount": self.amount(HALF),
            "unflipped": self.unflipped,
            "first": None
            if first is None
            else {
                "strength": first.strength,
                "amount": first.amount,
                "label": first.label,
                "read": first.read,
            },
        }


def find_flips(reader: DigitReader, digits: Digits, on_step: OnStep) -> tuple[Flips, ...]:
    """Find, for each damage and each of `digits` that is read right, the least that flips the reading.

    The five strengths are tried; the step to the first one with a flip is then halved five times, so what
    is found is at most a thirty-second of a strength too large. A flip that a step leaps over is missed.
    """
    right = digits.take(np.flatnonzero(reader.digits(digits.images).argmax(axis=1) == digits.labels))
    found = []
    for damage in DAMAGES:
        on_step(f"smallest damage that flips a reading: {damage.name}")
        found.append(_flips_by(damage, reader, right))
    return tuple(found)


def _flips_by(damage: Damage, reader: DigitReader, digits: Digits) -> Flips:
    """As `find_flips`, by one damage; all of `digits` are read right undamaged."""
    if len(digits) == 0:
        return Flips(damage, np.array([np.inf]), None)

    def is_flipped(strengths: NDArray[np.float64] | float) -> NDArray[np.bool_]:
        pictures = damaged(digits.images, damage, strengths, _SEED)
        return np.asarray(reader.digits(pictures).argmax(axis=1) != digits.labels)

    flipping = np.full(len(digits), np.inf)  # (N,) the least strength so far at which a reading flips
    for strength in np.arange(STRENGTHS[-1], 0, -_STEP):
        flipping[is_flipped(float(strength))] = strength
    reached = np.isfinite(flipping)
    holding = flipping - _STEP  # (N,) and one below it at which it holds
    for _ in range(_HALVINGS):
        middle = np.where(reached, (flipping + holding) / 2, 0)
        flips = is_flipped(middle)
        flipping, holding = np.where(flips, middle, flipping), np.where(flips, holding, middle)
    return Flips(damage, flipping, _first(damage, reader, digits, flipping))


def _first(
    damage: Damage, reader: DigitReader, digits: Digits, strengths: NDArray[np.float64]
) -> Flip | None:
    place = int(strengths.argmin())
    strength = float(strengths[place])
    if not np.isfinite(strength):
        return None
    pictures = damaged(digits.images, damage, strength, _SEED)  # all, so that chance falls as before
    return Flip(
        strength=strength,
        amount=damage.amount(strength),
        original=digits.images[place],
        picture=pictures[place],
        label=int(digits.labels[place]),
        read=int(reader.digits(pictures).argmax(axis=1)[place]),
    )


def subset(digits: Digits, count: int) -> Digits:
    """Return up to `count` of `digits`, as many of each class as there are, always the same ones."""
    return digits.take(balanced(digits.labels, count, _SEED))
