"""Images that the program draws itself, to train on.

`drawing` makes digits and non-digits in MNIST form from the forms in `glyphs` and `symbols`;
`writing_styles` varies how a form is written.
"""
