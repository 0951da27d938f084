"""Whether new data still look like those a model was trained on."""
