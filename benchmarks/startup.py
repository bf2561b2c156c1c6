"""Time commands from the shell's prompt, as ratios to importing their libraries, in one run.

python benchmarks/startup.py

Nothing else should run meanwhile. Each is the best of several alternating tries.
"""

import subprocess
import sys
import time

TRIES = 10
REFERENCE = "import typer, rich"
COMMANDS = {
    REFERENCE: ["-c", "import typer, rich"],
    "digitcli --version": ["-m", "digitcli", "--version"],
    "digitcli --help": ["-m", "digitcli", "--help"],
    "load mnist": ["-c", "from digitcli.datasets import load; load('mnist')"],
    "import tensorflow, keras": ["-c", "from digitcli.models.backend import keras"],
}


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    best = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(TRIES):
        for name, arguments in COMMANDS.items():
            best[name] = min(best[name], seconds(arguments))
    print("| command | wall time | ratio |\n|---|---|---|")
    for name, value in best.items():
        print(f"| `{name}` | {value:.3f} s | {value / best[REFERENCE]:.2f} |")


if __name__ == "__main__":
    main()
