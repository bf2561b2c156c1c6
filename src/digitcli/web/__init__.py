"""The canvas as a web page, and the JSON API, on FastAPI.

- `app`: the routes
- `server`: listens and starts the worker processes
- `schemas`: requests and responses
- `live`: reads over a WebSocket while somebody draws
- `drawings`: reads pen strokes that a program sends
- `batch_reader`: batches the requests of many clients
- `guard`, `limits`: refuse requests that are foreign, too large or too many
- ``static/``: the page itself
"""
