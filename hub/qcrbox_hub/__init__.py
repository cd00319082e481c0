"""The platform around the registry: accounts, JupyterHub, people's servers, and the `qcrbox` command."""
