"""Batch normalization in one operation, for networks in training.

Keras 3 normalizes with some fifteen elementary operations, which take longer than the convolutions
of a small network on a processor; TensorFlow has one operation for it and one for its gradient.
"""

from typing import Any

from digitcli.models.backend import keras, tf

Tensor = Any  # TensorFlow has no type information


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras's layer, with the same weights and results, by TensorFlow's `FusedBatchNormV3`.

    Only for images (N, H, W, C) on one replica; anything else is left to Keras. Statistics and
    weights are float32 also where the images are bfloat16. A model that is kept has Keras's own
    layer, so no file refers to this one.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, autocast=False)  # float32 weights beside bfloat16 images

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """Normalize over the batch while training, else by the moving statistics."""
        if not training or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=tf.zeros(0),
            variance=tf.zeros(0),
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (count - 1) / tf.maximum(count, 1)  # Keras's moving variance is the biased one
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return outputs
