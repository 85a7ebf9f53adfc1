"""What a person should look at and do next."""
