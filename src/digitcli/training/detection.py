"""The detector's task: marks on generated pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli import models
from digitcli.config.detector import LEVELS, PATCH
from digitcli.config.recipe import DetectorRecipe
from digitcli.errors import InputError
from digitcli.evaluation.detection import Score, measure
from digitcli.models.backend import tf
from digitcli.models.classifier import batches
from digitcli.models.detector import CHROMA, FOREGROUND, GREY, level_name
from digitcli.models.keras_classifier import Network
from digitcli.recognition.detections import decode, suppress
from digitcli.synthesis.pages.patches import CLEAR, MOST_MARKS, Examples
from digitcli.training.detection_targets import TARGETS, foreground_loss, level_loss, level_targets
from digitcli.training.page_pool import PagePool, Places, Seeds
from digitcli.training.task import Metrics, Tensor


@dataclass(frozen=True)
class JitterParameters:
    """How an example differs each time it is used; by eye. Pairs are the least and the most.

    Attributes:
        gain: of the grey values around their mean.
        gamma: of the grey values.
        noise: largest standard deviation in grey levels.
        inverted: how often bright and dark are exchanged.
        colour: of the chroma, as a factor.
    """

    gain: tuple[float, float] = (0.7, 1.15)
    gamma: tuple[float, float] = (0.75, 1.35)
    noise: float = 4.0
    inverted: float = 0.15
    colour: tuple[float, float] = (0.0, 1.4)


JITTER = JitterParameters()
_NOTHING_KEPT = (np.empty(0, np.int64), np.empty((0, 4), np.int64))
_BATCH = 16  # examples of a validation batch
_CANDIDATES = 5  # for each that is mined
_QUIET = 0.05  # heat of digits up to which a cell has none


class Detection:
    """Trains on a pool of generated pages; see `Task`."""

    metrics: tuple[str, ...] = ("accuracy",)  # of the digits, in the cells that tell which they are
    chunk: int = 32  # about a second on a laptop

    def __init__(
        self,
        recipe: DetectorRecipe,
        pool: PagePool,
        validation: Examples,
        say: Callable[[str], None] = lambda words: None,
    ) -> None:
        """Reserve memory for the pool's examples.

        Args:
            recipe: of the detector.
            pool: of the pages to train on.
            validation: pages of held-out marks.
            say: hears what takes long.
        """
        self._recipe, self._pool, self._validation, self._say = recipe, pool, validation, say
        self.examples = pool.examples
        half = PATCH // 2
        self._grey = _empty((pool.examples, PATCH, PATCH), tf.uint8)
        self._chroma = _empty((pool.examples, half, half), tf.uint8)
        self._ink = _empty((pool.examples, half, half), tf.uint8)
        self._marks = _empty((pool.examples, MOST_MARKS, 6), tf.float32)
        self._measure_batch = tf.function(self._measure, autograph=False, reduce_retracing=True)
        self._alarm_batch = tf.function(self._false_alarms, autograph=False, reduce_retracing=True)
        self._kept = _NOTHING_KEPT

    def build(self, *, precision: str | None = None, replicas: int = 1) -> Network:
        """Return a network with fresh weights; see `factory.build`."""
        return models.build(self._recipe, precision=precision, replicas=replicas)

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Put those pages into memory that the epoch has; the same ones for every network."""
        if epoch == 1:
            self._say(f"Drawing {self.examples:,} pages to train on")
        for places, examples in self._pool.renew(epoch):
            where = tf.constant(places)
            self._grey.scatter_update(tf.IndexedSlices(examples.grey, where))
            self._chroma.scatter_update(tf.IndexedSlices(examples.chroma, where))
            self._ink.scatter_update(tf.IndexedSlices(examples.ink, where))
            self._marks.scatter_update(tf.IndexedSlices(examples.marks, where))

    def batch(self, indices: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
        """Return grey and chroma (B, H, W, 1) float32, and marks (B, M, 6) and ink (B, H/2, W/2) uint8."""
        grey = tf.cast(tf.gather(self._grey, indices), tf.float32)[..., tf.newaxis]
        chroma = tf.cast(tf.gather(self._chroma, indices), tf.float32)[..., tf.newaxis]
        inputs = _jittered(grey, chroma, seed)
        return inputs, (tf.gather(self._marks, indices), tf.gather(self._ink, indices))

    def loss(self, targets: Tensor, outputs: Tensor) -> tuple[Tensor, dict[str, tuple[Tensor, Tensor]]]:
        """Return the loss of all levels and the foreground, and the digits read correctly and all."""
        marks, ink = targets
        count = tf.cast(tf.shape(marks)[0], tf.float32)
        presence, rest, right, digits = 0.0, 0.0, 0.0, 0.0
        weight = TARGETS.usual_marks * count
        for level, stride in enumerate(LEVELS):
            wanted = level_targets(marks, PATCH, level)
            of_level = level_loss(wanted, tf.cast(outputs[level_name(stride)], tf.float32))
            presence, rest = presence + of_level[0], rest + of_level[1]
            right, digits = right + of_level[2], digits + of_level[3]
        found = tf.reduce_sum(tf.cast(marks[..., 5] == float(CLEAR), tf.float32))
        of_marks = (presence + rest) * count / (weight + found)
        of_foreground = foreground_loss(ink, tf.cast(outputs[FOREGROUND], tf.float32))
        return of_marks + of_foreground, {"accuracy": (right, digits)}

    def validate(self, network: Network) -> Metrics:
        """Return the loss on held-out marks, and the average precision of digits."""
        examples = self._validation
        loss, scores = 0.0, []
        for batch in batches(len(examples), _BATCH):
            parts = [
                tf.constant(each[batch])
                for each in (examples.grey, examples.chroma, examples.ink, examples.marks)
            ]
            summed, outputs = self._measure_batch(network, *parts)
            loss += float(summed)
            told = {name: value.numpy() for name, value in outputs.items() if name != FOREGROUND}
            for place, marks in enumerate(examples.marks[batch]):
                scores.append(Score.of(suppress(decode(told, place)), marks))
        result = measure(scores)
        return {"loss": loss / len(examples), "average_precision": result.average_precision}

    def review(self, network: Network, epoch: int) -> None:
        """Mine hard negatives: keep the pages on which the network sees most digits where there are none."""
        pages = self._recipe.pages
        count = int(pages.mined * self.examples)
        if epoch not in pages.mined_after or not count:
            return
        seeds = self._pool.candidates(epoch, _CANDIDATES * count)
        self._say(f"Looking for hard pages among {len(seeds):,} new ones")
        alarms = [
            self._alarm_batch(
                network,
                *(tf.constant(each[batch]) for each in (examples.grey, examples.chroma, examples.marks)),
            )
            for examples in self._pool.draw(seeds)
            for batch in batches(len(examples), _BATCH)
        ]
        hardest = np.argsort(-np.concatenate([each.numpy() for each in alarms]), kind="stable")[:count]
        first = pages.mined_after.index(epoch) * count  # no other epoch's are lost
        places = np.arange(first, first + count)
        kept_places, kept_seeds = self._kept
        self._keep(np.concatenate([kept_places, places]), np.concatenate([kept_seeds, seeds[hardest]]))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return which pages are kept, and where."""
        places, seeds = self._kept
        return {"kept_places": places, "kept_seeds": seeds} if len(places) else {}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Keep the same pages again; an `InputError` where they are none of this recipe's."""
        places, seeds = (
            (state.get(name) for name in ("kept_places", "kept_seeds")) if state else _NOTHING_KEPT
        )
        fits = (
            places is not None
            and seeds is not None
            and places.dtype == seeds.dtype == np.int64
            and seeds.shape == (len(places), 4)
            and not len(places[(places < 0) | (places >= self.examples)])
            and (seeds >= 0).all()
        )
        if places is None or seeds is None or not fits:
            raise InputError("the checkpoint's pages do not fit its recipe; train without --resume")
        self._keep(places, seeds)

    def _keep(self, places: Places, seeds: Seeds) -> None:
        self._kept = places, seeds
        self._pool.keep(places, seeds)

    def _false_alarms(self, network: Network, grey: Tensor, chroma: Tensor, marks: Tensor) -> Tensor:
        """Return for each example how much loss digits are that are none."""
        outputs = network(_as_inputs(grey, chroma), training=False)
        total = 0.0
        for level, stride in enumerate(LEVELS):
            wanted = level_targets(marks, PATCH, level)
            presence = tf.cast(outputs[level_name(stride)], tf.float32)[..., 0]
            is_quiet = tf.cast(wanted.heat[..., 0] < _QUIET, tf.float32) * wanted.counted[..., 0]
            total += tf.reduce_sum(
                tf.nn.softplus(presence) * tf.sigmoid(presence) ** 2 * is_quiet, axis=(1, 2)
            )
        return total

    def _measure(self, network: Network, grey: Tensor, chroma: Tensor, ink: Tensor, marks: Tensor) -> Any:
        outputs = network(_as_inputs(grey, chroma), training=False)
        summed, _ = self.loss((marks, ink), outputs)
        return summed, outputs


def _as_inputs(grey: Tensor, chroma: Tensor) -> dict[str, Tensor]:
    """Return images (B, H, W) uint8 as a network takes them."""
    return {
        GREY: tf.cast(grey, tf.float32)[..., tf.newaxis],
        CHROMA: tf.cast(chroma, tf.float32)[..., tf.newaxis],
    }


def _empty(shape: tuple[int, ...], dtype: Any) -> Any:
    return tf.Variable(np.zeros(shape, dtype.as_numpy_dtype), trainable=False, dtype=dtype)


def _jittered(grey: Tensor, chroma: Tensor, seed: Tensor) -> dict[str, Tensor]:
    """Return inputs whose light, contrast, noise, colour and polarity are drawn for each example."""
    count = tf.shape(grey)[0]

    def draw(number: int, low: float, high: float) -> Tensor:
        return tf.random.stateless_uniform((count, 1, 1, 1), seed + tf.constant([number, 0]), low, high)

    gamma = tf.exp(draw(1, *(float(np.log(value)) for value in JITTER.gamma)))
    gain = draw(2, *JITTER.gain)
    bright = tf.pow(grey / 255, gamma) * 255
    middle = tf.reduce_mean(bright, axis=(1, 2), keepdims=True)
    noise = tf.random.stateless_normal(tf.shape(grey), seed) * draw(3, 0.0, JITTER.noise)
    seen = tf.clip_by_value(middle + (bright - middle) * gain + noise, 0, 255)
    is_inverted = draw(4, 0.0, 1.0) < JITTER.inverted
    return {GREY: tf.where(is_inverted, 255 - seen, seen), CHROMA: chroma * draw(5, *JITTER.colour)}
