"""The verb `worker`: a host stands by for every fleet of a database, and goes on where another one was gone."""
