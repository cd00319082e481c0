"""Which calculation runs next, on which agent, and what happens when something dies."""
