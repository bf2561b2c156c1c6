"""The reader as a web page and as a JSON API."""
