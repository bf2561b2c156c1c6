"""The tables of a detector's recipe: its network and its pages.

Kept apart from `config.detector` so that reading needs no pydantic.
"""

from pydantic import Field, model_validator

from digitcli.config.validation import Table


class DetectorLayers(Table):
    """The detector's network.

    Attributes:
        channels: of strides 2, 4, 8 and 16.
        blocks: residual blocks at strides 4, 8 and 16.
        head: channels of the pyramid.
        foreground: channels of the foreground head.
    """

    channels: tuple[int, int, int, int] = Field(strict=False, description="a list of four whole numbers")
    blocks: tuple[int, int, int] = Field(strict=False, description="a list of three whole numbers")
    head: int = Field(ge=4, le=256, description="a whole number")
    foreground: int = Field(ge=2, le=64, description="a whole number")

    @model_validator(mode="after")
    def _in_range(self) -> "DetectorLayers":
        if not all(1 <= value <= 512 for value in self.channels):
            raise ValueError(f"detector: channels: found {list(self.channels)}; expected each 1 to 512")
        if not all(0 <= value <= 8 for value in self.blocks):
            raise ValueError(f"detector: blocks: found {list(self.blocks)}; expected each 0 to 8")
        return self


class Pages(Table):
    """The generated pages that a detector is trained on.

    Attributes:
        patches: in memory, of 256x256 pixels; 103 kB each, so that the most are 1 GB.
        lifetime: epochs after which another page takes a page's place; 0 keeps all of them.
        mined: share of the pages that hard ones replace, for good, after each of the epochs `mined_after`: of
            five times as many new pages those on which the network sees most digits that are none.
        mined_after: epochs.
        validation: patches on which it is validated, of marks that are held out.
        marks: how many marks the digits are drawn from, as a share of the usual number.
    """

    patches: int = Field(default=8_000, ge=20, le=9_500)
    lifetime: int = Field(default=3, ge=0, le=1_000)
    mined: float = Field(default=0.05, ge=0, le=0.2)
    mined_after: tuple[int, ...] = Field(
        default=(), strict=False, max_length=5, description="a list of whole numbers"
    )
    validation: int = Field(default=300, ge=10, le=5_000)
    marks: float = Field(default=1.0, gt=0, le=4)

    @model_validator(mode="after")
    def _in_range(self) -> "Pages":
        if any(epoch < 1 for epoch in self.mined_after):
            raise ValueError(f"pages: mined_after: found {list(self.mined_after)}; expected epochs, from 1")
        return self
