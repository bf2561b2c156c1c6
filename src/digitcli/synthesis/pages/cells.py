"""Cells with digits: a form's boxes and combs, tables, and grids as of sudokus."""

from dataclasses import dataclass

import numpy as np

from digitcli.synthesis.pages.scene import Scene
from digitcli.synthesis.pages.texts import number, word
from digitcli.synthesis.pages.writing import Line, Point
from digitcli.synthesis.writing_styles import turning


@dataclass(eq=False)
class _Cells:
    """Cells on a sheet, in rows and columns; lengths in pixels.

    Attributes:
        scene: the sheet and what is written with.
        style: ``grid``, ``boxes``, ``comb`` or ``rows``.
        layer: of their lines.
        width: of their lines.
        thick: width of every third line of a grid, as of a sudoku's.
        origin: upper left corner, before the sheet is turned.
        spacing: from one cell to the next, across and down.
        share: of that which a cell fills.
        columns, rows: how many.
        tooth: height of a comb's teeth, as a share of a cell's.
    """

    scene: Scene
    style: str
    layer: int
    width: float
    thick: float
    origin: Point
    spacing: Point
    share: Point
    columns: int
    rows: int
    tooth: float

    def __post_init__(self) -> None:
        self.turning = turning(-self.scene.direction)

    def at(self, x: float, y: float) -> Point:
        """Return the point of the sheet at a column and a row, which may lie between two."""
        return np.asarray(self.turning @ (self.origin + np.array([x, y]) * self.spacing))

    def line(self, *points: Point, wide: bool = False) -> None:
        """Draw a line through points."""
        self.scene.sheet.draw_path(self.layer, np.stack(points), self.thick if wide else self.width)

    def draw_grid(self) -> None:
        """Draw the lines of all cells."""
        for row in range(self.rows + 1):
            self.line(self.at(0, row), self.at(self.columns, row), wide=row % 3 == 0)
        for column in range(self.columns + 1):
            self.line(self.at(column, 0), self.at(column, self.rows), wide=column % 3 == 0)

    def draw_row(self, row: int) -> None:
        """Draw the lines of a comb, or of one row of cells."""
        low = row + self.share[1]
        self.line(self.at(0, low), self.at(self.columns, low))
        if self.style == "rows":
            self.line(self.at(0, row), self.at(self.columns, row))
        top = row + self.share[1] * (0 if self.style == "rows" else 1 - self.tooth)
        for column in range(self.columns + 1):
            self.line(self.at(column, top), self.at(column, low))

    def draw_box(self, column: int, row: int) -> None:
        """Draw the frame of one cell."""
        right, low = column + self.share[0], row + self.share[1]
        corners = ((column, row), (right, row), (right, low), (column, low), (column, row))
        self.line(*(self.at(*corner) for corner in corners))


def cells(scene: Scene) -> None:
    """A form's boxes or comb, a table, a grid as of a sudoku, with a digit or two in most cells."""
    random = scene.random
    scene.direction = random.normal(0, 0.1) if random.random() < 0.3 else random.normal(0, 0.02)
    hand = scene.pen(printed=random.random() < 0.25)
    other = scene.pen(printed=True) if random.random() < 0.45 else hand
    layer, width = scene.press(), scene.ruling()
    height = hand.height
    size = np.array([height * random.uniform(0.95, 2.0), height * random.uniform(1.15, 2.0)])
    form = _rule(scene, layer, width, size)
    if random.random() < 0.3:  # what the cells are for is told above them
        _head(scene, form, height * random.uniform(0.5, 1.2))
    filled = random.choice([0.3, 0.7, 0.9, 1.0])
    form.tooth = random.uniform(0.15, 0.6)
    if form.style == "grid":
        form.draw_grid()
    for row in range(form.rows):
        if form.style in ("comb", "rows"):
            form.draw_row(row)
        for column in range(form.columns):
            if form.style == "boxes":
                form.draw_box(column, row)
            if random.random() > filled:
                continue
            pen = other if random.random() < 0.4 else hand
            text = number(random, 2) if random.random() < 0.12 else str(random.integers(10))
            if random.random() < 0.02:
                text = "-"
            inset = random.uniform(0.08, 0.4, 2)
            low = (size[1] - height) / 2 * random.uniform(0.3, 1.7)
            corner = form.at(column + form.share[0] * inset[0] * 0.7, row + form.share[1])
            Line(scene.sheet, pen, corner - form.turning @ np.array([0.0, low]), random).write(text, 0.05)


def _head(scene: Scene, form: _Cells, height: float) -> None:
    """Write words of a height above a form; where it begins beyond the sheet's edge, it is moved down."""
    random = scene.random
    form.origin[1] = max(form.origin[1], height * random.uniform(1.2, 3))
    hand = scene.pen(height, printed=random.random() < 0.7)
    above = form.turning @ np.array([0.0, height * random.uniform(0.2, 0.8)])
    line = Line(scene.sheet, hand, form.at(max(0.0, -form.origin[0] / form.spacing[0]), 0) - above, random)
    while line.x < scene.sheet.width:
        line.write_word(word(random))
        line.x += hand.height * random.uniform(0.3, 0.9)


def _rule(scene: Scene, layer: int, width: float, size: Point) -> _Cells:
    """Choose where cells of a size, across and down, lie on a sheet; they fill it or a part of it."""
    random, sheet = scene.random, scene.sheet
    style = random.choice(["grid", "grid", "boxes", "comb", "rows"])
    spacing = size
    if style == "boxes":
        spacing = size * [1 + random.uniform(0.05, 0.5), 1 + random.uniform(0.1, 0.8)]
    if style in ("comb", "rows"):
        spacing = size * [1.0, random.uniform(1.1, 1.8)]
    origin = random.uniform(-1.2, 0.3, 2) * spacing
    columns = int(np.ceil((sheet.width * 1.3) / spacing[0])) + 2
    rows = int(np.ceil((sheet.height * 1.3) / spacing[1])) + 2
    if random.random() < 0.4:
        columns, rows = int(random.integers(1, columns + 1)), int(random.integers(1, rows + 1))
        origin = np.abs(origin)
    thick = width * random.uniform(1.5, 3) if random.random() < 0.3 else width
    return _Cells(
        scene, style, layer, width, thick, origin, spacing, size / spacing, columns, rows, tooth=0.5
    )
