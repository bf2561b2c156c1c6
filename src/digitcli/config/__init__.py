"""Training recipes and their validation, without any heavy library.

- `recipe`: `Recipe`, the frozen, validated object that a TOML file is read into
- `recipe_files`: finds a recipe file by name or path
- `schedules`: learning-rate schedules
- `validation`: validation errors in words, all of them at once
- `detector`: what a detector's files and recipe agree on, and the recipe's own tables
- `marks`: the classes of marks that a detector tells apart
- `mnist`: the sizes of MNIST form and the number of classes
"""
