"""The canvas as a web page, and the JSON API.

`app` defines the routes, `server` runs them, `schemas` describes requests and responses, `live` reads
while somebody draws, `batch_reader` reads images together, `guard` and `limits` refuse what is too much.
"""
