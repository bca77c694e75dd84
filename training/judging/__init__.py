"""How good a model is: figures, curves, pictures of its errors, comparisons."""
