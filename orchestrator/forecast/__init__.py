"""A discrete-event run of the real decisions on virtual time, against a model of the cloud. Sends nothing."""
