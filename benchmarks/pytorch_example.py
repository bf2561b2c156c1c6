"""The MNIST example of the PyTorch repository, written from its description.

Two convolutions of 32 and 64 filters, 3x3, ReLU; 2x2 max-pooling; dropout 0.25; 128 dense units,
ReLU; dropout 0.5; log-softmax. Adadelta from 1.0, times 0.7 after every epoch, batches of 64, 14
epochs. The images are normalized beforehand, once, where the original does it for each image anew.
Reads the test images after every epoch, outside the clock. Prints one JSON object.
"""

import argparse
import sys
import time

import numpy as np
import torch
from measure import print_peer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from digitcli.datasets import Digits, load

MEAN, DEVIATION = 0.1307, 0.3081
# multiply-adds of one image: convolutions at 26x26 and 24x24, then 9,216 to 128 to 10
WORK = (26 * 26 * 32 * 9, 24 * 24 * 64 * 9 * 32, 9216 * 128, 128 * 10)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.Linear(9216, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, 10),
            nn.LogSoftmax(dim=1),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


def tensors(digits: Digits) -> TensorDataset:
    images = (digits.images.astype(np.float32) / 255 - MEAN) / DEVIATION
    return TensorDataset(
        torch.from_numpy(images[:, np.newaxis]), torch.from_numpy(digits.labels.astype(np.int64))
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=14)
    epochs = parser.parse_args().epochs
    torch.manual_seed(1)
    data = load("mnist")
    train = DataLoader(tensors(data.train), batch_size=64, shuffle=True)
    test = DataLoader(tensors(data.test), batch_size=1000)
    model = Network()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    spent, rows = 0.0, []
    for epoch in range(epochs):
        start = time.perf_counter()
        model.train()
        for images, labels in train:
            optimizer.zero_grad()
            nn.functional.nll_loss(model(images), labels).backward()
            optimizer.step()
        scheduler.step()
        spent += time.perf_counter() - start
        model.eval()
        with torch.no_grad():
            right = sum(int((model(images).argmax(1) == labels).sum()) for images, labels in test)
        rows.append({"seconds": spent, "test_accuracy": right / 10_000})
        print(f"pytorch epoch {epoch + 1}: {spent:.1f} s, {right / 10_000:.2%}", file=sys.stderr, flush=True)
    print_peer(
        "PyTorch repository's example",
        rows,
        images=60_000,
        precision="float32",
        operations=6 * sum(WORK) - 2 * WORK[0],
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )


if __name__ == "__main__":
    main()
