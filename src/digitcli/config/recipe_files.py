"""Finding recipes: the names of those in ``configs/``, and the file behind a name or a path.

Kept apart from their contents so that ``--help`` and shell completion need no pydantic.
"""

from pathlib import Path

from digitcli.errors import OptionError

_PACKAGE = Path(__file__).parents[1]
# A wheel carries the recipes inside the package; a checkout keeps them at its top.
FOLDER = _PACKAGE / "configs" if (_PACKAGE / "configs").is_dir() else _PACKAGE.parents[1] / "configs"


def names() -> list[str]:
    """Return the names of the recipes that ship with digitcli, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def find(name_or_path: str) -> Path:
    """Return the file of a recipe: a path if it ends in ``.toml`` or names a folder, else a name.

    Raises `OptionError`, with the known names, for a name that is none of them.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml" or path.name != name_or_path:
        return path
    if name_or_path not in names():
        raise OptionError(
            f"unknown recipe {name_or_path!r}; expected one of {', '.join(names())}, or a .toml file"
        )
    return FOLDER / f"{name_or_path}.toml"
