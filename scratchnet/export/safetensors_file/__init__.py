"""Parameters as a safetensors file under PyTorch's names, and such a file's numbers in a network. Needs no package."""

from .files import load_safetensors, read_safetensors, safetensors

__all__ = ["load_safetensors", "read_safetensors", "safetensors"]
