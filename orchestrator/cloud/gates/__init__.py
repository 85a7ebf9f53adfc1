"""Gates asked for real: a URL, a program, a Prometheus server. Each question ends in time with a finding."""
