"""What t/demo/demo works with: in a temporary folder a mail server, supervisord with its programs, and healthcheckd.

A deadline holds for all waiting, and a signal ends it (Stop). Lab.end() ends every process that was started here,
and knows from the kernel whether one is left.
"""

import ctypes
import email
import email.policy
import http.client
import json
import math
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport

FIXTURE = Path(__file__).resolve().parent.parent / "fixture"
PYTHON = "/usr/bin/python3"  # the one that sees Debian's packages supervisor and aiosmtpd
MAIL_USER, MAIL_PASSWORD = "healthcheckd@demo.test", "only-for-the-demo"
PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")

SUPERVISORD_CONF = """\
[supervisord]
nodaemon=true
{user}
logfile={dir}/supervisord.log
pidfile={dir}/supervisord.pid
childlogdir={dir}
directory={dir}
[unix_http_server]
file={dir}/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""


class Stop(Exception):
    """A signal told the demo to end."""


def memory_mb(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def age_and_cpu(pid):
    """Seconds since the process began, and the per cent of a processor core that it used since then."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    age = float(Path("/proc/uptime").read_text().split()[0]) - int(fields[19]) / TICKS
    return age, 100 * (int(fields[11]) + int(fields[12])) / TICKS / max(age, 0.1)


def free_port():
    """A port below those that clients are given: it must still be free when its server is restarted."""
    for number in range(2000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", 10000 + (os.getpid() * 37 + number) % 20000))
                return probe.getsockname()[1]
            except OSError:
                pass
    raise RuntimeError("there is no free port")


class Lab:
    def __init__(self, folder, deadline):
        self.dir = Path(folder)
        self.start_s = 1  # seconds that a program may take to start
        # Run as root, healthcheckd gives its children another user, and the one that sends mail reads cert.pem.
        self.dir.chmod(0o755)
        os.umask(0o022)
        self.deadline = deadline
        self.processes = {}
        self.signal = 0
        self.log_at = 0
        self.web_port = free_port()
        socket.setdefaulttimeout(2)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        # What loses its parent becomes our child: at the end, no child left means nothing left.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)

    def on_signal(self, number, _frame):
        self.signal = number

    def pause(self):
        time.sleep(0.1)
        if self.signal:
            raise Stop(signal.Signals(self.signal).name)

    def wait_for(self, condition, what):
        while not (result := condition()):
            if time.monotonic() > self.deadline:
                raise RuntimeError(f"waited in vain for {what}")
            self.pause()
        return result

    def start(self, name, argv):
        with open(self.dir / f"{name}.out", "wb") as out:
            # In a session of its own, out of reach of Ctrl-C: the demo ends all in order. By setpriv the kernel
            # ends the process should the demo itself be killed.
            self.processes[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *argv],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=self.dir)

    def output(self, name):
        path = self.dir / f"{name}.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def runs(self, name):
        if self.processes[name].poll() is not None:
            raise RuntimeError(f"{name} ended:\n{self.output(name)[-2000:]}")
        return True

    def start_mail_server(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=healthcheckd demo", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", "key.pem", "-out", "cert.pem"],
            cwd=self.dir, check=True, capture_output=True, timeout=10)
        (self.dir / "mail").mkdir()
        began = time.monotonic()
        self.start("mail-server", [
            PYTHON, FIXTURE / "mail" / "smtp.py", "--tls", "implicit", "--dir", "mail", "--control", "control",
            "--cert", "cert.pem", "--key", "key.pem", "--user", MAIL_USER, "--password", MAIL_PASSWORD])
        ready = self.wait_for(
            lambda: self.runs("mail-server") and re.match(r"ready (\d+)\n", self.output("mail-server")),
            "the mail server")
        # The programs are of the same kind, and two of them start at the same time.
        self.start_s = max(1, math.ceil(2 * (time.monotonic() - began)))
        return int(ready[1])

    def mails(self):
        """The mails that have arrived, each with its envelope: login, tls, rcpt_tos."""
        return [(email.message_from_bytes(path.read_bytes(), policy=email.policy.default),
                 json.loads(path.with_suffix(".json").read_text()))
                for path in sorted((self.dir / "mail").glob("*.eml"))]

    def start_supervisord(self, commands):
        """`commands` are lines of shell by the name of the program; they run in the temporary folder."""
        text = SUPERVISORD_CONF.format(dir=self.dir, user="user=root" if os.getuid() == 0 else "")
        for name, line in commands.items():
            command = shlex.join(["/usr/bin/setpriv", "--pdeathsig", "KILL", "/bin/sh", "-c", line])
            text += (f"[program:{name}]\ncommand={command.replace('%', '%%')}\nautorestart=true\nstopwaitsecs=2\n"
                     f"startsecs={0 if name == 'crash' else self.start_s}\n")
        (self.dir / "supervisord.conf").write_text(text)
        self.start("supervisord", [PYTHON, "/usr/bin/supervisord", "-n", "-c", "supervisord.conf"])
        self.wait_for(lambda: self.runs("supervisord") and self.pids(), "supervisord")

    def pids(self):
        """The process of each program, by supervisord's word, 0 when there is none; {} when it does not answer."""
        transport = SupervisorTransport(None, None, f"unix://{self.dir}/supervisor.sock")
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport) as server:
                return {one["name"]: one["pid"] for one in server.supervisor.getAllProcessInfo()}
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return {}

    def web_status(self):
        """The status with which the program web answers a request, 0 when it does not."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=0.5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def start_healthcheckd(self, path, config):
        (self.dir / "config.yaml").touch(mode=0o600)
        (self.dir / "config.yaml").write_text(config)
        self.start("healthcheckd", [Path(path).resolve(), "-c", self.dir / "config.yaml"])

    def new_log_lines(self):
        """The whole lines that healthcheckd has written since the last call."""
        text = self.output("healthcheckd")[self.log_at:]
        whole = text[:text.rfind("\n") + 1]
        self.log_at += len(whole)
        return whole.splitlines()

    def state_table(self):
        """What `healthcheckctl status` prints, in colours where this prints in colours."""
        command = [str(self.ctl), "-s", f"{self.dir}/healthcheckd.sock", "status"]
        if sys.stdout.isatty():
            command = ["/usr/bin/script", "-qec", shlex.join(command), "/dev/null"]
        return subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=20,
                              text=True).stdout.replace("\r", "").splitlines()

    def end(self):
        """Ends everything, healthcheckd first, and returns what did not end as it should."""
        trouble = []
        for name, limit in (("healthcheckd", 4), ("supervisord", 5), ("mail-server", 1)):
            process = self.processes.get(name)
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(limit)
            except subprocess.TimeoutExpired:
                trouble.append(f"{name} (pid {process.pid}) did not end on SIGTERM and was killed")
                process.kill()
                process.wait()
        deadline = time.monotonic() + 1
        try:
            while True:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:  # children are left, and all of them run
                    if time.monotonic() > deadline:
                        trouble += self.kill_children()
                    time.sleep(0.02)
        except ChildProcessError:
            return trouble  # none is left

    def kill_children(self):
        killed = []
        for pid in Path("/proc/thread-self/children").read_text().split():
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            os.kill(int(pid), signal.SIGKILL)
            killed.append(f"{name} (process {pid}) was left over and was killed")
        return killed
