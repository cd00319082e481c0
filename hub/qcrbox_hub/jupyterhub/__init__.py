"""JupyterHub's configuration, proxy, spawners and single-user server."""
