"""The MNIST example of the Keras documentation ("Simple MNIST convnet"), written from its description.

Two convolutions of 32 and 64 filters, 3x3, ReLU, each followed by 2x2 max-pooling; dropout 0.5;
softmax. Adam, batches of 128, 15 epochs, a tenth of the training images for validation, `Model.fit`.
Reads the test images after every epoch, outside the clock. Prints one JSON object.
"""

import sys
import time

import numpy as np
from measure import print_peer, training_operations

from digitcli.datasets import load
from digitcli.models.backend import keras
from digitcli.models.factory import summarize

EPOCHS = 15


class Clock(keras.callbacks.Callback):
    """Counts the time of training and validation, not that of the test."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        super().__init__()
        self.images, self.labels = images, labels
        self.epochs: list[dict[str, float]] = []
        self.spent = 0.0
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.spent += time.perf_counter() - self.start
        _, accuracy = self.model.evaluate(self.images, self.labels, batch_size=500, verbose=0)
        self.epochs.append({"seconds": self.spent, "test_accuracy": float(accuracy)})
        print(f"keras epoch {epoch + 1}: {self.spent:.1f} s, {accuracy:.2%}", file=sys.stderr, flush=True)
        self.start = time.perf_counter()


def main() -> None:
    keras.utils.set_random_seed(0)
    data = load("mnist")
    x_train, x_test = (
        digits.images[..., np.newaxis].astype("float32") / 255 for digits in (data.train, data.test)
    )
    y_train, y_test = (keras.utils.to_categorical(digits.labels, 10) for digits in (data.train, data.test))
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    start = time.perf_counter()
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    clock = Clock(x_test, y_test)
    clock.start = start
    model.fit(
        x_train, y_train, batch_size=128, epochs=EPOCHS, validation_split=0.1, callbacks=[clock], verbose=0
    )
    print_peer(
        "Keras documentation's example",
        clock.epochs,
        images=54_000,
        precision="float32",
        operations=training_operations(summarize(model)),
        parameters=model.count_params(),
    )


if __name__ == "__main__":
    main()
