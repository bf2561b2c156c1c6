"""Separating the digits of a page by rules: lines, marks, cuts, and the most likely way to combine them.

`pages` prepares a page and reads it; `segmentation` finds lines and marks, `cuts` splits them, `paths`
chooses among the pieces, `separators` recognizes what stands between numbers. `cuttings` draws digits that
touch and miscut ones, for training.
"""
