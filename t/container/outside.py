"""supervisord and healthcheckd on this machine itself, without a container: the image in a folder by chroot(8).

It has mounts and a network of its own, so that it finds its files and ports where the image has them. Its processes
are among those of this machine, and it sees those of every container.
"""
import os
import subprocess
import sys
import time

from place import CALL_LIMIT, Place

ENTER_LIMIT = 10  # seconds until it is in its folder
END_LIMIT = 30  # seconds until supervisord has ended its programs
PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
# enter ROOT [PLACE FOLDER]... -- COMMAND...
ENTER = """
ip link set lo up
cd "$1"
shift
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
while [ "$1" != -- ]; do
    mkdir -p ".$1"
    mount --bind "$2" ".$1"
    shift 2
done
shift
exec chroot . "$@"
"""


class Outside(Place):
    """`folders`: what is mounted besides, as pairs of the place in it and the folder of this machine."""

    def __init__(self, name, image, work, folders=()):
        super().__init__(name, image, work)
        self.folders = folders
        self.supervisord = None

    def run(self, *command):
        return subprocess.run(["nsenter", f"--target={self.supervisord.pid}", "--mount", "--net", "--root", "--wd",
                               *command], check=False, timeout=CALL_LIMIT, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=PATH)

    def start(self):
        pairs = [part for pair in self.folders for part in pair]
        with open(self.output, "ab") as output:
            # Each command executes the next one, so that this is the process of supervisord.
            self.supervisord = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "--net", "sh", "-ec", ENTER, "enter", self.root,
                 *pairs, "--", *self.entrypoint()],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=PATH, start_new_session=True)
        # Before that, run() would reach a supervisord of this machine.
        deadline = time.monotonic() + ENTER_LIMIT
        while self.supervisord.poll() is None and not os.path.samefile(f"/proc/{self.supervisord.pid}/root", self.root):
            if time.monotonic() > deadline:
                raise ValueError(f"it is not in its folder after {ENTER_LIMIT} s; its log:\n{self.log()}")
            time.sleep(0.05)
        if self.supervisord.returncode is not None:
            raise ValueError(f"supervisord has ended; its log:\n{self.log()}")

    def end(self):
        if self.supervisord is None:
            return
        self.supervisord.terminate()
        try:
            self.supervisord.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            # Its programs are left to the end of check-container's PID namespace.
            print(f"{self.name}: supervisord has not ended in {END_LIMIT} s", file=sys.stderr)
            os.killpg(self.supervisord.pid, 9)
            self.supervisord.wait(END_LIMIT)
