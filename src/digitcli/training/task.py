"""The task protocol: what a network learns. The training loop knows no more of it than this."""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitcli.models.keras_classifier import Network

Tensor = Any  # TensorFlow has no type information
Metrics = dict[str, float]  # means over examples by name, the loss first


class Task(Protocol):
    """Examples, a network for them, and how well it does.

    `batch` and `loss` become part of the compiled training steps: they are traced once for each network,
    and what changes afterwards must be in a `tf.Variable`.

    Attributes:
        examples: to train on in an epoch.
        chunk: examples of the steps between two looks at the clock; Ctrl-C and the progress display wait
            for them.
        metrics: the names of the training metrics, the loss not among them.
    """

    examples: int
    chunk: int
    metrics: tuple[str, ...]

    def build(self, *, precision: str | None = None, replicas: int = 1) -> "Network":
        """Return a network with fresh weights; see `factory.build`."""

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Provide the examples of a network's epoch.

        Args:
            seed: of the network; with the same seed, an epoch has the same examples, whichever came before.
            epoch: from 1, for every network anew.
        """

    def batch(self, indices: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs, as the network takes them, and targets, as `loss` does.

        Args:
            indices: (B,) int32, of the examples.
            seed: (2,) int32, another one for every batch, for all that is random in it.
        """

    def loss(self, targets: Tensor, outputs: Tensor) -> tuple[Tensor, dict[str, tuple[Tensor, Tensor]]]:
        """Return the loss, summed over a batch, and each metric's sum and of how many it is.

        Args:
            targets: what `batch` returned.
            outputs: of the network.
        """

    def validate(self, network: "Network") -> Metrics:
        """Measure a network on the validation examples, in inference mode.

        Returns:
            ``loss``, then the main metric, which is higher for better networks, then any others; finite but
            for the loss of a network that has diverged.
        """

    def review(self, network: "Network", epoch: int) -> None:
        """Choose later examples by what a network has learned; called after `validate`, if another epoch
        follows.

        Args:
            network: in inference mode.
            epoch: that it has just been trained on, from 1.
        """

    def state(self) -> "dict[str, NDArray[Any]]":
        """Return what was chosen so far, as a checkpoint keeps it; nothing where nothing is chosen."""

    def restore(self, state: "dict[str, NDArray[Any]]") -> None:
        """Continue with what `state` returned; begin anew where it is empty."""
