"""The monitors that are compared, each set up for the same checks of the same programs."""
import math
import os
import shutil
from pathlib import Path

from lab import PYTHON

TYPES = ("mem", "cpu", "tcp", "http")


def checks(lab, count, types=TYPES):
    """`count` checks in equal parts of the types: (name, program, type)."""
    return [(f"c{i:04}", lab.programs[i % len(lab.programs)], types[i % len(types)]) for i in range(count)]


def cat(program, kind, lab, period_s, extra=""):
    """One cat as healthcheckd and its predecessor write it."""
    detail = {"mem": "maxMem: 4000", "cpu": "maxCpu: 4000",
              "tcp": f"host: 127.0.0.1, port: {lab.tcp_port}",
              "http": f"host: 127.0.0.1, port: {lab.http_port}, path: /"}[kind]
    return f"{{program: {program}, type: {kind}, {detail}, periodSeconds: {period_s}, action: email{extra}}}"


class Healthcheckd:
    name = "healthcheckd"

    def __init__(self, binary):
        self.binary = str(Path(binary).resolve())

    def start(self, lab, count, period_s, types=TYPES):
        return self.start_with(lab, [f"{name}: {cat(program, kind, lab, period_s)}"
                                     for name, program, kind in checks(lab, count, types)])

    def start_with(self, lab, lines):
        for folder in ("log", "state"):
            (lab.dir / folder).mkdir(exist_ok=True)
        config = f"config: {{supervisordUrl: '{lab.supervisor_url}', logDir: '{lab.dir}/log', " \
                 f"stateDir: '{lab.dir}/state', socket: '{lab.dir}/socket'}}\n"
        path = lab.write("config.yaml", config + "\n".join(lines) + "\n", 0o600)
        return lab.run([self.binary, "-c", path], self.name)


class Monit:
    name = "monit"

    def start(self, lab, count, period_s, types=TYPES):
        tests = {"mem": "if totalmem > 4000 MB for 3 cycles then alert",
                 "cpu": "if cpu > 4000% for 3 cycles then alert",
                 "tcp": f"if failed host 127.0.0.1 port {lab.tcp_port} type tcp with timeout 3 seconds "
                        "for 3 cycles then alert",
                 "http": f"if failed host 127.0.0.1 port {lab.http_port} protocol http request \"/\" "
                         "with timeout 3 seconds for 3 cycles then alert"}
        return self.start_with(lab, "".join(
            f"check process {name} with pidfile {lab.dir}/{program}.pid\n  {tests[kind]}\n"
            for name, program, kind in checks(lab, count, types)), period_s)

    def start_with(self, lab, text, period_s):
        head = f"set daemon {math.ceil(period_s)}\nset log {lab.dir}/monit.log\nset pidfile {lab.dir}/monit.pid\n" \
               f"set idfile {lab.dir}/monit.id\nset statefile {lab.dir}/monit.state\n"
        return lab.run(["/usr/bin/monit", "-I", "-c", lab.write("monitrc", head + text, 0o600)], self.name)


class Predecessor:
    name = "script"

    def __init__(self, script):
        self.script = Path(script).resolve()

    def start(self, lab, count, period_s, types=TYPES):
        return self.start_with(lab, [f"{name}: {cat(program, kind, lab, period_s)}"
                                     for name, program, kind in checks(lab, count, types)])

    def start_with(self, lab, lines):
        # It looks for its configuration beside itself.
        folder = lab.dir / "script"
        folder.mkdir(exist_ok=True)
        copy = shutil.copy(self.script, folder)
        (folder / "config.yaml").write_text(f"config: {{supervisordUrl: '{lab.supervisor_url}'}}\n" +
                                            "\n".join(lines) + "\n")
        return lab.run([PYTHON, copy], self.name, env=dict(os.environ, PYTHONUNBUFFERED="1"))
