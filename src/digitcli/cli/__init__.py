"""The command line: one Typer command a module, each from options through one typed call to words or JSON.

- `app`: the Typer application and the one error boundary
- `train`, `evaluate`, `plot`, `predict`, `draw`, `serve`, `export`: the commands
- `options`: options that several commands share
- `console`: output, data to stdout and messages to stderr
- `progress`: the progress display of a training run
- `tables`: recipes, networks and training results as tables, text and JSON

Heavy libraries are imported inside the commands, so that ``--help`` starts quickly.
"""
