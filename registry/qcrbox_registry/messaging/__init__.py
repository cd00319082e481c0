"""NATS: its server, who may connect, and the messages in and out."""
