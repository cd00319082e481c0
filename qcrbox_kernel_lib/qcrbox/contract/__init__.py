"""What two rooms both speak: states, errors, REST models and agent messages."""
