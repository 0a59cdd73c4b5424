"""Where the bench works: a temporary folder with a real supervisord, its programs, and the server that is probed."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import xmlrpc.client
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport

HERE = Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # the one that sees Debian's package supervisor

SUPERVISORD_CONF = """\
[supervisord]
nodaemon=true
{user}
minfds=1024
logfile={dir}/supervisord.log
pidfile={dir}/supervisord.pid
childlogdir={dir}
[unix_http_server]
file={dir}/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM_CONF = """\
[program:{name}]
command=/bin/sleep infinity
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def wait_for(what, condition, seconds):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return result


class Lab:
    """`with Lab(20) as lab`: supervisord with 20 programs p000, p001, ... that sleep."""

    def __init__(self, programs):
        self.dir = Path(tempfile.mkdtemp(prefix="healthcheckd-bench-"))
        self.dir.chmod(0o755)
        self.http_port, self.tcp_port, self.hang_port = free_ports(3)
        self.programs = [f"p{i:03}" for i in range(programs)]
        self.processes = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            self.end(process)
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def supervisor_url(self):
        return f"unix://{self.dir}/supervisor.sock"

    def _start(self):
        conf = SUPERVISORD_CONF.format(dir=self.dir, user="user=root" if os.getuid() == 0 else "")
        conf += "".join(PROGRAM_CONF.format(name=name) for name in self.programs)
        self.write("supervisord.conf", conf)
        self.supervisord = self.run(["/usr/bin/supervisord", "-c", f"{self.dir}/supervisord.conf"], "supervisord")
        server = self.run([PYTHON, str(HERE / "server.py"), *map(str, (self.http_port, self.tcp_port, self.hang_port))],
                          "server", stdin=subprocess.PIPE)
        wait_for("the server", lambda: "ready" in self.read("server.out"), 10)
        self.server = server
        wait_for("supervisord's programs", lambda: len(self.pids()) == len(self.programs), 60)
        for name, pid in self.pids().items():
            self.write(f"{name}.pid", f"{pid}\n")

    def pids(self):
        """The process of each program that runs; {} while supervisord does not answer."""
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", SupervisorTransport("", "", self.supervisor_url))
            return {info["name"]: info["pid"] for info in proxy.supervisor.getAllProcessInfo()
                    if info["statename"] == "RUNNING"}
        except (OSError, http.client.HTTPException):
            return {}

    def write(self, name, text, mode=0o644):
        path = self.dir / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def read(self, name):
        path = self.dir / name
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, command, name, **options):
        """Starts `command`; what it writes goes to NAME.out."""
        with open(self.dir / f"{name}.out", "wb") as out:
            options.setdefault("stdin", subprocess.DEVNULL)
            process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, **options)
        self.processes.append(process)
        return process

    def end(self, process, seconds=60):
        """Ends a process of run() and returns how long that took, in seconds."""
        begin = time.monotonic()
        if process in self.processes:
            self.processes.remove(process)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return time.monotonic() - begin

    def ask_server(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def wait_for_quiet(self):
        """Waits for the gap behind a burst of http probes: what is counted from one to another is whole bursts."""
        wait_for("a gap between the probes", lambda: 0.1e9 <= int(self.ask_server("/_quiet")) < 0.3e9, 30)

    def arrivals(self):
        """The moments of all requests since the last call, in ns of CLOCK_MONOTONIC, by path."""
        return json.loads(self.ask_server("/_arrivals"))
