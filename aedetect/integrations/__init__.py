"""Scoring inside Ray Data, Spark and Dask: thin layers, each a module that loads its engine alone."""
