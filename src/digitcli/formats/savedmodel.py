"""TensorFlow's SavedModel: a folder, for TensorFlow Serving and whatever converts further."""

from pathlib import Path

from digitcli.backend import tf
from digitcli.formats import sheet
from digitcli.formats.running import ExportedReader, Floats
from digitcli.models import INPUT, INPUT_SHAPE, OUTPUT, Network

_SIGNATURE = "serving_default"
_EXTRA = "assets.extra"  # where TensorFlow leaves room for files that it does not load


def write(network: Network, path: Path) -> None:
    """Write `network` as the folder `path`, with one signature of named input and output."""
    image = tf.TensorSpec((None, *INPUT_SHAPE), tf.float32, name=INPUT)
    read = tf.function(lambda image: {OUTPUT: network(image, training=False)}, [image], autograph=False)
    module = tf.Module()  # Keras's own exporter writes all weights twice
    module.weights = [weight.value for weight in network.weights]
    tf.saved_model.save(module, str(path), signatures={_SIGNATURE: read})


def label(path: Path, words: sheet.Sheet) -> None:
    """Put what is to be known of the model into its folder."""
    (path / _EXTRA).mkdir()
    (path / _EXTRA / sheet.NAME).write_text(sheet.as_json(words), encoding="utf-8")


def load(path: Path) -> ExportedReader:
    """Load a SavedModel with TensorFlow, without Keras."""
    model = tf.saved_model.load(str(path))
    function = model.signatures[_SIGNATURE]

    def run(images: Floats, _model: object = model) -> Floats:  # the signature does not keep its model alive
        values: Floats = function(**{INPUT: tf.constant(images)})[OUTPUT].numpy()
        return values

    return ExportedReader(run, path)
