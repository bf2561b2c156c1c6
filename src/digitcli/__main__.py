"""``python -m digitcli`` and the console script."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C at any moment, start-up included, ends it with status 130."""
    try:
        from digitcli.cli import run

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
