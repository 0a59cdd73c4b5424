"""A container by runc: made, asked, removed."""
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import bundle
from place import CALL_LIMIT, Place

CGROUPS = Path("/sys/fs/cgroup")


class HostLacks(Exception):
    """This machine cannot have such a container."""


def cgroup_view(wanted):
    """A command that runs another one with the cgroups of such a machine: `machine` (this one), v1, v2 or hybrid."""
    own = "v2" if (CGROUPS / "cgroup.controllers").exists() else "hybrid" if (CGROUPS / "unified").exists() else "v1"
    if wanted in ("machine", own):
        return []
    if wanted == "hybrid" or own == "v2":
        raise HostLacks(f"this machine has cgroups of {own}, not {wanted}")
    # Version 2 without controllers, which belong to version 1 here.
    change = f"umount {CGROUPS}/unified" if wanted == "v1" else f"mount -t cgroup2 cgroup2 {CGROUPS}"
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", change + '; exec "$@"', "sh"]


def group_of(name):
    """The cgroup of a container, from the root of each hierarchy."""
    return f"/healthcheckd-{name}"


def remove_groups(names):
    """Removes the cgroups of containers that ended with a run that was killed. One with processes stays."""
    hierarchies = [folder for folder in (CGROUPS, *CGROUPS.iterdir()) if folder.is_mount() and not folder.is_symlink()]
    for group in (Path(f"{folder}{group_of(name)}") for folder in hierarchies for name in names):
        try:
            group.rmdir()
        except OSError:
            pass


class Container(Place):
    """`environment` is a section of the file `environments`. `folders`: what is mounted besides, as pairs of the place
    in the container and the folder of this machine."""

    def __init__(self, environment, image, parts, work, name=None, folders=()):
        self.first_id = 0 if environment["ids"] == "none" else bundle.FIRST_ID
        super().__init__(name or environment.name, image, work, environment["user"])
        self.owner = self.first_id + int(self.user)
        self.environment = environment
        self.parts = parts
        self.folders = folders
        self.runtime_name = group_of(self.name).lstrip("/")
        self.view = cgroup_view(environment["cgroups"])

    def run(self, *command):
        return self._runc("exec", self.runtime_name, *command, check=False)

    def make(self):
        shutil.copy2(self.parts / "usr/bin/tini", self.root / "usr/bin/tini")
        for path, options in bundle.tmpfs(self.environment):
            for mode in (option.removeprefix("mode=") for option in options if option.startswith("mode=")):
                # runc gives the mount the mode of the folder below, whatever its options say.
                (self.root / path.lstrip("/")).mkdir(exist_ok=True)
                (self.root / path.lstrip("/")).chmod(int(mode, 8))
        if self.first_id:
            self._give()
        profile = json.loads((self.parts / "usr/share/containers/seccomp.json").read_text())
        bundle.write(self.folder, self.environment, self.root, self.entrypoint(), profile, group_of(self.name),
                     self.folders)

    def start(self):
        (self.folder / "runc").mkdir(mode=0o700)
        os.chown(self.folder / "runc", self.first_id, self.first_id)
        with open(self.output, "ab") as output:
            started = self._runc("run", "--detach", self.runtime_name, check=False, stdout=output, stderr=output)
        if started.returncode != 0:
            raise ValueError("runc does not start it: " + self.log())

    def end(self):
        self._runc("kill", self.runtime_name, "KILL", check=False)
        deadline = time.monotonic() + 10
        while (self._runc("delete", "--force", self.runtime_name, check=False).returncode != 0
               and time.monotonic() < deadline):
            time.sleep(0.2)

    def _give(self):
        """Gives all files to the ids of the container."""
        most = bundle.MAPPED[self.environment["ids"]]
        for folder, folders, files in os.walk(self.root):
            for name in (".", *folders, *files):
                path = os.path.join(folder, name)
                status = os.lstat(path)
                if status.st_uid >= self.first_id:
                    continue
                os.lchown(path, self.first_id + min(status.st_uid, most - 1),
                          self.first_id + min(status.st_gid, most - 1))
                if not os.path.islink(path):
                    os.chmod(path, status.st_mode & 0o7777)  # the change of the owner takes setuid bits away

    def _runc(self, command, *arguments, check=True, **streams):
        as_user = []
        if self.environment["ids"] == "one":
            as_user = ["setpriv", f"--reuid={self.first_id}", f"--regid={self.first_id}", "--clear-groups",
                       "--inh-caps=-all"]
        streams = streams or {"capture_output": True, "text": True}
        return subprocess.run([*as_user, *self.view, "runc", "--root", str(self.folder / "runc"), command, *arguments],
                              check=check, timeout=CALL_LIMIT, stdin=subprocess.DEVNULL, cwd=self.folder, **streams)
