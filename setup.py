"""Puts the default network and the nvinfer files into the wheel; all else stands in pyproject.toml.

In a checkout they lie beside the package, where people look for them; an installed package brings its own.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
#: Folder to the files of it that are packaged; `nasion-unet` has 44 MB and is for GPUs.
PACKAGED = {"deepstream_configs": "nasion_[!u]*.txt", "weights": "nasion-lite*"}


class BuildWithNetwork(build_py):
    """Copies them, but not where the package stays in the checkout."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        for folder, files in PACKAGED.items():
            target = Path(self.build_lib) / "nasion" / folder
            target.mkdir(parents=True, exist_ok=True)
            for file in sorted((ROOT / folder).glob(files)):
                shutil.copyfile(file, target / file.name)


setup(cmdclass={"build_py": BuildWithNetwork})
