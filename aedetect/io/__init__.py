"""Reading and writing files. Nothing in here knows models, features or the command line."""
