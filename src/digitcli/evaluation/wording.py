"""Numbers as text, the same on the terminal, in reports and in the window."""


def percent(share: float | None, digits: int = 2) -> str:
    """Say a share with `digits` decimals, or a dash for None."""
    return "-" if share is None else f"{share:.{digits}%}"


def percent_below_certainty(share: float) -> str:
    """Say a share 0..1 with one digit, never rounded up to certainty."""
    return f"{share:.1%}" if share < 0.9995 else ">99.9%"


def interval(ends: tuple[float, float]) -> str:
    """Say an interval of shares."""
    return f"{percent(ends[0])} to {percent(ends[1])}"


def size(count: int) -> str:
    """Say a number of bytes."""
    return f"{count / 1024:,.0f} KiB"


def measure(amount: float) -> str:
    """Say an amount of corruption with as many digits as mean something."""
    return f"{amount:.3g}"


def milliseconds(value: float | None) -> str:
    """Say a time, or that there is none."""
    return "not measured" if value is None else f"{value:.2f} ms"
