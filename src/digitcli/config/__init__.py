"""Training recipes and their validation, without any heavy library.

- `recipe`: `Recipe`, the frozen, validated object that a TOML file is read into
- `recipe_files`: finds a recipe file by name or path
- `schedules`: learning-rate schedules
- `validation`: validation errors in words, all of them at once
- `mnist`: the sizes of MNIST form and the number of classes
"""
