"""Weights from and to the Hugging Face Hub: one safetensors file of a repository, and nothing else of it."""
