"""The learned networks, one concept a file: coarse ViT, UNet teacher, MAE student, adapters."""
