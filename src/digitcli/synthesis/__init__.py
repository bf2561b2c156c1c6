"""What digitcli draws itself to train on: digits, other marks, and whole pages.

- `drawing`: digits and non-digits in MNIST form
- `writers`: the packaged pen strokes, written again
- `crops`: digits in pictures as people crop them
- `pages`: pages with a label for every mark
- `pens`: draws strokes with pens of many widths
- `glyphs`: the forms of the digits, as pen strokes
- `symbols`: symbols that are no digits, as pen strokes
- `writing_styles`: varies a form as different writers would
"""
