"""Training on several workers.

`configuration` reads and checks the addresses, `rendezvous` waits until all workers are there, and
`distribution` gives each its share of the data and makes them agree.
"""
