"""The command `toymodels`."""
