"""What a plan may say: one declaration per part, and the way from the file to a `Plan`."""
