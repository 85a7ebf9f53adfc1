"""One request to one answer over HTTP. It knows no API call."""
