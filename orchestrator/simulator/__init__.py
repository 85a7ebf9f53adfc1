"""The simulated cloud: TaurusDB and IAM over HTTP on loopback, seeded and reproducible.

`cloud.SimulatedCloud` is the whole cloud without a socket or a clock: a request and an instant go in, a reply and how
to deliver it come out. `server` puts it on a port, `embedded` runs that in a thread, `serve` is the verb `simulate`.
This package shares no code with the client: the two meet only on the wire.
"""
