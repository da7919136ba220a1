"""Train and test an autoencoder: python train.py model=lab_unet data=landscapes data.root=FOLDER."""

from colorize.commands.start import train

if __name__ == "__main__":
    train()
