"""Autoencoders of windows of time series, one file each."""
