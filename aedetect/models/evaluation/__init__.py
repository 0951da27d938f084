"""What models compute once they have learned, written once for numpy, torch and ONNX; no torch here."""
