"""TensorFlow's SavedModel: a folder, for TensorFlow Serving and whatever converts further."""

from pathlib import Path

from digitcli.export.exported_classifier import ExportedClassifier
from digitcli.export.metadata import METADATA_FILE, Metadata, as_json
from digitcli.models.backend import tf
from digitcli.models.classifier import INPUT, INPUT_SHAPE, OUTPUT, Floats
from digitcli.models.keras_classifier import Network

_SIGNATURE = "serving_default"
_EXTRA = "assets.extra"  # where TensorFlow leaves room for files that it does not load


def write(network: Network, path: Path) -> None:
    """Write `network` as the folder `path`, with one signature of named input and output."""
    image = tf.TensorSpec((None, *INPUT_SHAPE), tf.float32, name=INPUT)
    read = tf.function(lambda image: {OUTPUT: network(image, training=False)}, [image], autograph=False)
    module = tf.Module()  # Keras's own exporter writes all weights twice
    module.weights = [weight.value for weight in network.weights]
    tf.saved_model.save(module, str(path), signatures={_SIGNATURE: read})


def label(path: Path, metadata: Metadata) -> None:
    """Put what is to be known of the model into its folder."""
    (path / _EXTRA).mkdir()
    (path / _EXTRA / METADATA_FILE).write_text(as_json(metadata), encoding="utf-8")


def load(path: Path) -> ExportedClassifier:
    """Load a SavedModel with TensorFlow, without Keras."""
    model = tf.saved_model.load(str(path))
    function = model.signatures[_SIGNATURE]

    def run(images: Floats, _model: object = model) -> Floats:  # the signature does not keep its model alive
        values: Floats = function(**{INPUT: tf.constant(images)})[OUTPUT].numpy()
        return values

    return ExportedClassifier(run, path)
