"""Hypotheses about wrong gradients, one family a file. Each is a function from Clues to the Explanations that fit."""
