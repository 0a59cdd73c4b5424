"""Where supervisord runs healthcheckd and the programs of programs.conf, on files of its own."""
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONFIGURATION = Path("etc/supervisord.d/scripts")
START_LIMIT = 60  # seconds until healthcheckd answers
CALL_LIMIT = 60  # seconds for one command


class Place:
    """`with` starts it and removes it. A subclass says how: make(), start(), end(), run()."""

    def __init__(self, name, image, work, user="0"):
        self.name = name
        self.image = image
        self.says = json.loads(Path(f"{image}.json").read_text())  # by the Dockerfile
        self.folder = work / name
        self.root = self.folder / "root"
        self.output = self.folder / "output"  # of supervisord, programs and healthcheckd
        self.user = user  # of supervisord, as it is seen there
        self.owner = int(user)  # of the configuration, as it is seen here

    def __enter__(self):
        try:
            self.folder.mkdir()
            subprocess.run(["cp", "-a", "--reflink=auto", self.image, self.root], check=True)
            shutil.copy(HERE / "programs.conf", self.root / "etc/supervisor/conf.d/")
            shutil.copy(HERE / "web.py", self.root / "etc/supervisor/")
            self.mount_configuration(self.configuration())
            self.output.touch()
            self.output.chmod(0o666)  # another user than root opens it by its name
            self.make()
            self.start()
            self.await_answer()
            # Once more, now that each program has its user for good: what was opened before stays readable.
            self.run("supervisorctl", "restart", "healthCheck")
            self.await_answer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.end()
        shutil.rmtree(self.root, ignore_errors=True)

    def make(self):
        """Completes its files before the start."""

    def start(self):
        """Starts supervisord by entrypoint(), with all output to `output`."""
        raise NotImplementedError

    def end(self):
        """Ends all its processes; also when it has not started."""
        raise NotImplementedError

    def run(self, *command):
        """A command in it, with the user and the powers of its supervisord: a CompletedProcess with texts."""
        raise NotImplementedError

    def entrypoint(self):
        return json.loads(self.says["entrypoint"])

    def healthcheck(self):
        """The image's own test of its health, as a command."""
        return json.loads(self.says["healthcheck"].partition(" CMD ")[2])

    def status(self):
        """What `healthcheckctl status --json` says; None while it cannot say it."""
        answer = self.run("healthcheckctl", "status", "--json")
        try:
            return json.loads(answer.stdout)
        except ValueError:
            return None

    def await_answer(self):
        deadline = time.monotonic() + START_LIMIT
        while self.status() is None:
            if time.monotonic() > deadline:
                raise ValueError("healthcheckd does not answer; its log:\n" + self.log())
            time.sleep(0.5)

    def log(self):
        return self.output.read_text(errors="replace")

    @staticmethod
    def configuration():
        return (HERE / "checks.yaml").read_text()

    def mount_configuration(self, text):
        """As Kubernetes mounts a ConfigMap: in a folder of mode 0777 the file leads by way of a link to the folder of a
        version. To replace the link changes the file."""
        place = self.root / CONFIGURATION
        version = f"..{time.time_ns()}"
        (place / version).mkdir(parents=True)
        place.chmod(0o777)
        file = place / version / "config.yaml"
        file.write_text(text)
        os.chown(file, self.owner, self.owner)
        file.chmod(0o600)
        (place / "..new").symlink_to(version)
        (place / "..new").rename(place / "..data")
        if not (place / "config.yaml").is_symlink():
            (place / "config.yaml").symlink_to("..data/config.yaml")
