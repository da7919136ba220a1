"""What pyproject.toml cannot say: conf/ lies beside the package here, and inside it where it is installed."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["colorize", "colorize.*"]), "colorize.conf"],
    package_dir={"colorize.conf": "conf"},
)
