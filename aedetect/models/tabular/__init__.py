"""Autoencoders of rows, one file each."""
