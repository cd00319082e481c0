"""The registry: the REST interface, the scheduler and the store, with the launcher beside them."""
