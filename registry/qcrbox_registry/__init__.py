from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("qcrbox")
except PackageNotFoundError:  # from a checkout that was never installed
    __version__ = "0"
