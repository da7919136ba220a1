"""A trained network as an ONNX file, for every runtime that reads one: python -m colorize.export model.onnx."""
