"""What separates people's servers: socket folders, relays, homes, and the choice of the strongest walls there are."""
