"""Client of the registry: HTTP requests, events, sign-in, state of calculations. No display."""
