"""Administration by clicking: pages of the hub for administrators, application administrators and group managers."""
