"""Questions that the discussions of the sources left open, each answered by a sweep.

Each module has a `verdict` beside its `claim`; its threshold stands in the TOML file.
"""
