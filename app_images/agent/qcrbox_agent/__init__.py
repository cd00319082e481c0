"""The agent: runs the commands of one application and reports to the registry over NATS and HTTP."""
