# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The family of a distribution, by what their os-release files say."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _distribution

SAYINGS = {
    "Debian GNU/Linux 12 (bookworm)": ("ID=debian", "Debian"),
    "Ubuntu 24.04.3 LTS": ("ID=ubuntu\nID_LIKE=debian", "Debian"),
    "Red Hat Enterprise Linux 9.6 (Plow)": ('ID="rhel"\nID_LIKE="fedora"', "RedHat"),
    "AlmaLinux 9.6 (Sage Margay)": ('ID="almalinux"\nID_LIKE="rhel centos fedora"', "RedHat"),
    "Rocky Linux 10.0 (Red Quartz)": ('ID="rocky"\nID_LIKE="rhel centos fedora"', "RedHat"),
    "CentOS Stream 10 (Coughlan)": ('ID="centos"\nID_LIKE="rhel fedora"', "RedHat"),
    "Oracle Linux Server 9.6": ('ID="ol"\nID_LIKE="fedora"', "RedHat"),
    "Fedora Linux 42 (Server Edition)": ("ID=fedora", "RedHat"),
    "openSUSE Leap 15.6": ('ID="opensuse-leap"\nID_LIKE="suse opensuse"', None),
    "Alpine Linux v3.22": ("ID=alpine", None),
}


@pytest.mark.parametrize("name", SAYINGS)
def test_the_family_is_its_own_or_that_of_a_relative(tmp_path: Path, name: str) -> None:
    lines, family = SAYINGS[name]
    path = tmp_path / "os-release"
    path.write_text(f'# a comment\nPRETTY_NAME="{name}"\n\nBROKEN\n{lines}\n')
    assert _distribution.read(str(path)) == (name, family)


def test_a_host_that_does_not_say_is_of_no_family(tmp_path: Path) -> None:
    assert _distribution.read(str(tmp_path / "os-release")) == ("an unknown distribution", None)
