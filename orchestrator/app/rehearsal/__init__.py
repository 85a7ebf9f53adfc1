"""The forecast: the real decisions over the real run, on virtual time, against a model of the cloud. Sends nothing."""
