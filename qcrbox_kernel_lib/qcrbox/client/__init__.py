"""The registry over HTTP: requests, events, signing in, what is known of a calculation. No display."""
