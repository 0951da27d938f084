"""A model as an ONNX file, for other runtimes; nothing is imported until it is asked for."""
