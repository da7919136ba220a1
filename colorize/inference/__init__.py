"""One picture: the colorizer, what it accepts, device and precision."""
