"""Train, compare and use image-colorization autoencoders."""
