"""How late probes and actions are, with nothing else going on and with something wrong elsewhere."""
import os
import signal
import threading
import time

from contenders import cat
from lab import Lab, free_ports, wait_for
from usage import command, tree

PERIOD_S = 5
CATS = 400
WATCH_S = 30
FAIL_TOGETHER = 10  # checks that fail within one period
FAIL_ALONE = 10     # checks that fail in a period of their own
TICK_NS = PERIOD_S * 1_000_000_000


def percentiles(values):
    values = sorted(values)
    return {"p50": round(values[len(values) // 2], 1), "p99": round(values[len(values) * 99 // 100], 1),
            "max": round(values[-1], 1), "samples": len(values)}


def since_tick(moment, grid):
    """From the nearest tick of a grid to a moment, in ns; most of a period before a tick counts as after the last one."""
    late = (moment - grid) % TICK_NS
    return late - TICK_NS if late > TICK_NS * 0.9 else late


def grids(arrivals):
    """For each path the earliest of its moments within the period: where its grid of ticks can be at the latest."""
    return {path: moments[0] + min(since_tick(moment, moments[0]) for moment in moments)
            for path, moments in arrivals.items()}


def after_tick_ms(moment, grid):
    return since_tick(moment, grid) / 1e6


class Actions(threading.Thread):
    """The moments of the commands' first instruction: each opens a FIFO and writes the number of its check."""

    def __init__(self, path):
        super().__init__(daemon=True)
        os.mkfifo(path, 0o622)
        os.chmod(path, 0o622)
        self.fifo, self.moments = os.open(path, os.O_RDWR), {}

    def run(self):
        while True:
            for line in os.read(self.fifo, 4096).split():
                self.moments.setdefault(int(line), time.monotonic_ns())


class CrashLoop(threading.Thread):
    """Kills the worker of one cat as soon as it is there."""

    def __init__(self, root, name):
        super().__init__(daemon=True)
        self.root, self.name, self.over, self.kills = root, f"healthcheckd: {name} [", threading.Event(), 0

    def run(self):
        while not self.over.wait(0.2):
            for pid in tree(self.root)[1:]:
                if command(pid).startswith(self.name):
                    os.kill(pid, signal.SIGKILL)
                    self.kills += 1


def measure(healthcheckd, trouble):
    """`trouble`: "", "hanging" (100 probes that hang), "crashing" (a worker) or "frozen" (supervisord)."""
    with Lab(CATS // 4) as lab:
        fifo = lab.dir / "actions"
        actions = Actions(fifo)
        actions.start()
        lines = []
        for i, program in enumerate(lab.programs):
            lines += [f"{kind}{i}: {cat(program, kind, lab, PERIOD_S)}" for kind in ("mem", "cpu", "tcp")]
            lines.append(f"http{i}: {{program: {program}, type: http, host: 127.0.0.1, port: {lab.http_port}, "
                         f"path: /{i}, periodSeconds: {PERIOD_S}, failureThreshold: 1, action: exec, "
                         f"execCmd: 'echo {i} > {fifo}'}}")
            if trouble == "hanging":
                lines.append(f"hang{i}: {{program: {program}, type: http, host: 127.0.0.1, port: {lab.hang_port}, "
                             f"periodSeconds: {PERIOD_S}, timeoutSeconds: 3, failureThreshold: 1000, action: email}}")
        process = healthcheckd.start_with(lab, lines)
        wait_for("the first probes", lambda: len(lab.arrivals()) == len(lab.programs) or time.sleep(5), 60)
        crash_loop = CrashLoop(process.pid, "mem0")
        if trouble == "crashing":
            crash_loop.start()
        if trouble == "frozen":
            lab.supervisord.send_signal(signal.SIGSTOP)
        try:
            lab.arrivals()
            time.sleep(WATCH_S)
            arrivals = lab.arrivals()
            failed = 0
            while failed + FAIL_TOGETHER <= len(lab.programs):
                together = 1 if failed < FAIL_ALONE else FAIL_TOGETHER
                for i in range(failed, failed + together):
                    lab.ask_server(f"/_fail/{i}")
                failed += together
                wait_for("the actions", lambda: len(actions.moments) >= failed, 60)
        finally:
            crash_loop.over.set()
            lab.supervisord.send_signal(signal.SIGCONT)
        grid = grids(arrivals)
        ticks = [after_tick_ms(moment, grid[path]) for path, moments in arrivals.items() for moment in moments]
        missed = len(lab.programs) * WATCH_S // PERIOD_S - len(ticks)
        acted = {i: after_tick_ms(moment, grid[f"/{i}"]) for i, moment in actions.moments.items()}
        return {"trouble": trouble or "none", "cats": len(lines), "tick_late_ms": percentiles(ticks),
                "ticks_missed": max(0, missed),
                "one_action_after_tick_ms": percentiles([late for i, late in acted.items() if i < FAIL_ALONE]),
                "action_after_tick_ms": percentiles([late for i, late in acted.items() if i >= FAIL_ALONE]),
                "kills": crash_loop.kills}


def measure_behind_hanging(contender, kind):
    """Seconds from the closing of a port to the action, beside 20 web servers that hang; two failures are asked for."""
    with Lab(21) as lab:
        port, = free_ports(1)
        done = lab.dir / "done"
        server = lab.run(["/usr/bin/python3", "-c", "import socket,time\n"
                          f"s=socket.create_server(('127.0.0.1',{port}), backlog=100)\n"
                          "while 1: s.accept()[0].close()"], "victim")
        if kind == "monit":
            text = "".join(f"check process h{i} with pidfile {lab.dir}/{program}.pid\n  if failed host 127.0.0.1 port "
                           f"{lab.hang_port} protocol http with timeout 3 seconds for 60 cycles then alert\n"
                           for i, program in enumerate(lab.programs[1:]))
            script = lab.write("act", f"#!/bin/sh\n: > {done}\n", 0o755)
            text += f"check process victim with pidfile {lab.dir}/{lab.programs[0]}.pid\n  if failed host 127.0.0.1 " \
                    f"port {port} type tcp with timeout 3 seconds for 2 cycles then exec \"{script}\"\n"
            contender.start_with(lab, text, PERIOD_S)
        else:
            lines = [f"h{i}: {{program: {program}, type: http, host: 127.0.0.1, port: {lab.hang_port}, "
                     f"periodSeconds: {PERIOD_S}, timeoutSeconds: 3, failureThreshold: 1000, action: email}}"
                     for i, program in enumerate(lab.programs[1:])]
            lines.append(f"victim: {{program: {lab.programs[0]}, type: tcp, host: 127.0.0.1, port: {port}, "
                         f"periodSeconds: {PERIOD_S}, failureThreshold: 2, action: exec, execCmd: ': > {done}'}}")
            contender.start_with(lab, lines)
        time.sleep(25)
        lab.end(server)
        begin = time.monotonic()
        wait_for(f"{contender.name}'s action", done.exists, 300)
        return round(time.monotonic() - begin, 1)
