"""Training recipes and what they are checked against, without any heavy library.

`recipe` is the validated object that a TOML file is read into, `recipe_files` finds the bundled files,
`schedules` gives the learning rate over a run, `validation` words configuration errors, and `mnist` holds
the sizes of MNIST form.
"""
