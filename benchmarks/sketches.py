"""What children and engineers draw with a pen, as lines in a unit square; nothing is a digit on purpose."""

from collections.abc import Callable

import numpy as np

Random = np.random.Generator
Sketch = list  # of lines, (P, 2) x, y


def _ellipse(x: float, y: float, wide: float, high: float, start: float = 0, end: float = 360) -> np.ndarray:
    """Return part of an ellipse about (x, y); angles in degrees, clockwise from the right."""
    angle = np.radians(np.linspace(start, end, 40))
    return np.stack([x + wide * np.cos(angle), y + high * np.sin(angle)], axis=1)


def _house(random: Random) -> Sketch:
    roof, door = random.uniform(0.35, 0.5), random.uniform(0.1, 0.35)
    walls = [(0, roof), (0, 1), (1, 1), (1, roof), (0, roof), (0.5, 0), (1, roof)]
    pane = [(0.65, 0.62), (0.9, 0.62), (0.9, 0.82), (0.65, 0.82), (0.65, 0.62)]
    return [walls, [(door, 1), (door, 0.65), (door + 0.2, 0.65), (door + 0.2, 1)], pane]


def _face(random: Random) -> Sketch:
    mouth = random.choice([1, -1]) * random.uniform(0.08, 0.2)
    eyes = [[(x, 0.36), (x + 0.01, 0.37)] for x in (0.32, 0.68)]
    return [
        _ellipse(0.5, 0.5, 0.5, 0.5),
        *eyes,
        [(0.5, 0.45), (0.46, 0.6), (0.53, 0.6)],
        _ellipse(0.5, 0.72, 0.2, mouth, 0, 180),
    ]


def arrow(random: Random) -> Sketch:
    bow = random.uniform(-0.2, 0.2)
    shaft = np.stack([np.linspace(0, 1, 20), 0.5 + bow * np.sin(np.linspace(0, 2.6, 20))], axis=1)
    return [shaft, shaft[-1] + np.array([(-0.22, -0.16), (0, 0), (-0.22, 0.16)])]


def _tree(random: Random) -> Sketch:
    trunk = [[(0.43, 1), (0.45, 0.6)], [(0.58, 1), (0.56, 0.6)]]
    if random.random() < 0.5:
        return [
            *trunk,
            *(
                [(0.5, y), (0.5 - w, y + 0.27), (0.5 + w, y + 0.27), (0.5, y)]
                for y, w in ((0, 0.25), (0.3, 0.4))
            ),
        ]
    angle = np.linspace(0, 2 * np.pi, 90)
    reach = 0.32 + 0.04 * np.abs(np.sin(4 * angle))
    return [*trunk, np.stack([0.5 + 1.2 * reach * np.cos(angle), 0.33 + reach * np.sin(angle)], axis=1)]


def _star(random: Random) -> Sketch:
    angle = np.radians(-90 + 144 * np.arange(6))
    return [0.5 + 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)]


def _circuit(random: Random) -> Sketch:
    zigzag = [(0.3 + 0.05 * k, 0.1 + (0.08, -0.08)[k % 2] * (0 < k < 8)) for k in range(9)]
    top = [(0, 0.45), (0, 0.1), *zigzag, (1, 0.1), (1, 0.37)]
    lamp = [_ellipse(1, 0.5, 0.13, 0.13), [(0.91, 0.41), (1.09, 0.59)], [(0.91, 0.59), (1.09, 0.41)]]
    battery = [[(-0.15, 0.45), (0.15, 0.45)], [(-0.07, 0.55), (0.07, 0.55)]]
    return [top, *lamp, *battery, [(0, 0.55), (0, 0.95), (1, 0.95), (1, 0.63)]]


def _graph(random: Random) -> Sketch:
    x = np.linspace(0, 0.95, 40)
    curve = 0.5 + 0.3 * np.sin(x * random.uniform(3, 14) + random.uniform(0, 6)) * np.exp(
        -x * random.uniform(0, 2)
    )
    axes = [[(0, 1.05), (0, 0)], [(-0.05, 0.0 + 0.07), (0, 0), (0.05, 0.07)]]
    axes += [[(-0.05, 1), (1.1, 1)], [(1.03, 0.95), (1.1, 1), (1.03, 1.05)]]
    return [*axes, np.stack([0.05 + x, curve], axis=1)]


def _spiral(random: Random) -> Sketch:
    angle = np.linspace(0, 2 * np.pi * random.uniform(3, 5), 150)
    reach = 0.5 * angle / angle[-1]
    return [0.5 + np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1)]


def _hatching(random: Random) -> Sketch:
    lean, lines = random.uniform(0.2, 0.5), int(random.integers(7, 13))
    ways = [1, -1] if random.random() < 0.4 else [1]
    return [
        [(0.5 + way * (x - 0.5 + lean), 0), (0.5 + way * (x - 0.5), 1)]
        for way in ways
        for x in np.linspace(0, 1, lines)
    ]


def _crossing_out(random: Random) -> Sketch:
    swings = int(random.integers(8, 16))
    x = np.linspace(0, 1, swings) + random.normal(0, 0.02, swings)
    return [np.stack([x, 0.5 + random.uniform(0.12, 0.22, swings) * (-1) ** np.arange(swings)], axis=1)]


SKETCHES: tuple[Callable[[Random], Sketch], ...] = (
    _house, _face, arrow, _tree, _star, _circuit, _graph, _spiral, _hatching, _crossing_out,
)  # fmt: skip
