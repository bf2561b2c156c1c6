"""Measuring classifiers and showing the results.

`evaluate` and `measuring` compute metrics on a data source, `metrics` defines them, `comparison` compares
two models, `robustness` applies `corruptions`; `plots` draws figures and `report` writes the HTML page.
"""
