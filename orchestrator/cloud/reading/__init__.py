"""Bytes of an answer to values of the model, as leniently as is safe. Pure."""
