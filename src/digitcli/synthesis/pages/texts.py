"""What is written on generated pages: numbers, amounts, dates, sums, lists, words."""

import numpy as np

ROUND = 0.25  # how often a number of four digits or more may end in zeros, as amounts do


def number(random: np.random.Generator, most: int = 10) -> str:
    """Return 1 to `most` digits; short numbers are more frequent, and some longer ones are round."""
    is_round = most >= 4 and random.random() < ROUND
    count = min(3 if is_round else most, 1 + int(random.geometric(0.3)) - (random.random() < 0.3))
    digits = "".join(map(str, random.integers(10, size=max(1, count))))
    return digits + "0" * int(random.integers(2, 5)) if is_round else digits


def amount(random: np.random.Generator) -> str:
    """Return thousands as on a cheque, with a point or without, often with a stroke behind them."""
    rest = "000" if random.random() < 0.4 else f"{random.integers(1000):03d}"
    point = "." if random.random() < 0.6 else ""
    end = ("", "", "", "-", ".-", ",-", "=", ".")[int(random.integers(8))]
    return f"{random.integers(1, 1000)}{point}{rest}{end}"


def with_signs(random: np.random.Generator) -> str:
    """Return digits with signs between, before or around them: amounts, dates, sums, lists, brackets, ..."""
    a, b, c = (number(random, 3) for _ in range(3))
    sums = (f"{a}+{b}", f"{a} + {b}", f"+{a}", f"+ {a}", f"{a}-{b}", f"{a} - {b}", f"-{a}", f"- {a}")
    equations = (
        f"{a}+{b}={c}",
        f"{a}-{b}={c}",
        f"{a} + {b} = {c}",
        f"{a} - {b} = {c}",
        f"{a}x{b}={c}",
        f"{a}=",
        f"{a}:{b}={c}",
    )
    written = (
        f"{a}.{b[:2]}",
        f"{a},{b[:2]}",
        f"{a}.{b.zfill(3)[:3]},{c[:2]}",
        f"{a[:2]}.{b[:2]}.{c}",
        f"{a[:2]}:{b.zfill(2)[:2]}",
        f"{a}%",
    )
    slashed = (f"{a[:2]}/{b[:2]}", f"{a[:2]}/{b[:2]}/{c}", f"{a[:2]}/{b[:2]}/{random.integers(1900, 2100)}")
    beside = (
        f"({a})",
        f"({a}) {b}",
        f"({a}){b}{c}",
        f"[{a}]",
        f"{a})",
        f"{a[:1]}) {b}",
        f"{a[:1]}. {b}",
        f"{a[:1]}) {b}",
        f"{a} ✓",
        f"{a} ✓",
        f"✓ {a}",
        f"{a} x",
        f"{a}|{b}",
        f"|{a}|",
    )
    choice = random.random()
    if choice < 0.15:
        return amount(random)
    for least, some in ((0.36, sums), (0.5, equations), (0.56, written), (0.76, slashed)):
        if choice < least:
            return some[int(random.integers(len(some)))]
    return beside[int(random.integers(len(beside)))]


def word(random: np.random.Generator, most: int = 8) -> str:
    """Return up to `most` letters that look like a word; a third are capitals throughout."""
    count = int(random.integers(1, most + 1))
    small = "".join(random.choice(list("aaabcdeeeefghiijklmnnoopqrrssttuuvwxyz"), size=count))
    choice = random.random()
    letters = small.upper() if choice < 0.3 else small.capitalize() if choice < 0.6 else small
    choice = random.random()
    if choice < 0.1:
        return f"({letters})"
    return letters + random.choice(list(".,:;-/!?&%")) if choice < 0.3 else letters
