# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For the tests: a lab beside the one in use, with the same images and kernels; what it leaves behind is an error."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import common
import images

LAB = common.HERE / "lab"


class Lab:
    """The lab's commands on a directory of its own."""

    def __init__(self, directory: Path, kind: str) -> None:
        self.directory = directory
        self.environment = {**os.environ, "OPENLVS_LAB_DIR": str(directory), "OPENLVS_LAB_DRIVER": kind}

    def __call__(self, *words: str, check: bool = True, **more: str) -> str:
        done = subprocess.run(
            [LAB, *words], env={**self.environment, **more}, capture_output=True, text=True, check=False, timeout=300
        )
        assert not check or not done.returncode, done.stdout + done.stderr
        return done.stdout + done.stderr

    def talk(self, client: str) -> bool:
        """Whether the client gets rs1's page over the lan."""
        question = "curl --silent --max-time 5 http://192.168.0.45:8080/"
        return self("exec", client, question, check=False) == "rs1\n"

    def process_of(self, host: str) -> int:
        return int(json.loads((self.directory / "hosts" / host / "state.json").read_text())["pid"])


def _outside() -> str:
    """The addresses, links, routes and mounts of this machine."""
    network = "".join(
        subprocess.run(["ip", *what], capture_output=True, text=True, check=True).stdout
        for what in (["-brief", "link"], ["-brief", "address"], ["route"], ["-6", "route"])
    )
    return network + "".join(line for line in Path("/proc/mounts").open() if str(common.LAB) in line)


@contextmanager
def lab(kind: str) -> Iterator[Lab]:
    directory = common.LAB / "test"
    images.image(images.suite())
    images.kernel()
    lab = Lab(directory, kind)
    lab("down")
    shutil.rmtree(directory)
    for what in ("images", "share/kernels"):
        shutil.copytree(common.LAB / what, directory / what, copy_function=os.link)
    machine = _outside()
    try:
        yield lab
    finally:
        lab("down")
    assert _outside() == machine, "the lab changed this machine's own network or mounts"
    shutil.rmtree(directory)
