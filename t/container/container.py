"""A container by runc: made, asked, removed."""
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import bundle

HERE = Path(__file__).resolve().parent
CONFIGURATION = Path("etc/supervisord.d/scripts")
START_LIMIT = 60  # seconds until healthcheckd answers
CALL_LIMIT = 60  # seconds for one command in the container
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


class Container:
    """`with` starts it and removes it; `environment` is a section of the file `environments`."""

    def __init__(self, environment, image, parts, work):
        self.environment = environment
        self.image = image
        self.parts = parts
        self.says = json.loads(Path(f"{image}.json").read_text())  # by the Dockerfile
        self.folder = work / environment.name
        self.root = self.folder / "root"
        self.name = f"healthcheckd-{environment.name}"
        self.view = cgroup_view(environment["cgroups"])
        self.first_id = 0 if environment["ids"] == "none" else bundle.FIRST_ID

    def __enter__(self):
        try:
            self._make()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._runc("kill", self.name, "KILL", check=False)
        deadline = time.monotonic() + 10
        while self._runc("delete", "--force", self.name, check=False).returncode != 0 and time.monotonic() < deadline:
            time.sleep(0.2)
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, *command):
        """A command in the container, with the user and the powers of its first process."""
        return self._runc("exec", self.name, *command, check=False)

    def status(self):
        """What `healthcheckctl status --json` says; None while it cannot say it."""
        answer = self.run("healthcheckctl", "status", "--json")
        try:
            return json.loads(answer.stdout)
        except ValueError:
            return None

    def log(self):
        return (self.folder / "output").read_text(errors="replace")

    def _make(self):
        self.folder.mkdir()
        subprocess.run(["cp", "-a", "--reflink=auto", self.image, self.root], check=True)
        shutil.copy2(self.parts / "usr/bin/tini", self.root / "usr/bin/tini")
        shutil.copy(HERE / "programs.conf", self.root / "etc/supervisor/conf.d/")
        shutil.copy(HERE / "web.py", self.root / "etc/supervisor/")
        self.mount_configuration(self.configuration())
        if self.first_id:
            self._give()
        profile = json.loads((self.parts / "usr/share/containers/seccomp.json").read_text())
        bundle.write(self.folder, self.environment, self.root, json.loads(self.says["entrypoint"]), profile,
                     f"/{self.name}")

    @staticmethod
    def configuration():
        return (HERE / "checks.yaml").read_text()

    def healthcheck(self):
        """The image's own test of its health, as a command."""
        return json.loads(self.says["healthcheck"].partition(" CMD ")[2])

    def mount_configuration(self, text):
        """As Kubernetes mounts a ConfigMap: the file leads by way of a link to the folder of a version. To replace the
        link changes the file."""
        place = self.root / CONFIGURATION
        version = f"..{time.time_ns()}"
        (place / version).mkdir(parents=True)
        file = place / version / "config.yaml"
        file.write_text(text)
        owner = self.first_id + int(self.environment["user"])
        os.chown(file, owner, owner)
        file.chmod(0o600)
        (place / "..new").symlink_to(version)
        (place / "..new").rename(place / "..data")
        if not (place / "config.yaml").is_symlink():
            (place / "config.yaml").symlink_to("..data/config.yaml")

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

    def _start(self):
        (self.folder / "runc").mkdir(mode=0o700)
        os.chown(self.folder / "runc", self.first_id, self.first_id)
        (self.folder / "output").touch()
        (self.folder / "output").chmod(0o666)  # the user of the container opens it by its name
        with open(self.folder / "output", "ab") as output:
            started = self._runc("run", "--detach", self.name, check=False, stdout=output, stderr=output)
        if started.returncode != 0:
            raise ValueError("runc does not start it: " + self.log())
        self._await_answer()
        # Once more, now that each program has its user for good: what was opened before stays readable.
        self.run("supervisorctl", "restart", "healthCheck")
        self._await_answer()

    def _await_answer(self):
        deadline = time.monotonic() + START_LIMIT
        while self.status() is None:
            if time.monotonic() > deadline:
                raise ValueError("healthcheckd does not answer; its log:\n" + self.log())
            time.sleep(0.5)
