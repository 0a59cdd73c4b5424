"""How far it goes: many cats, and many probes."""
import os
import time

from contenders import cat, checks
from lab import Lab, wait_for
from usage import cpu_ns, descriptors, dirty_kb, private_kb, tree

PROGRAMS = 100
PERIOD_S = 5


def measure(healthcheckd, count, watch_s=30):
    """Start, steady state and stop with `count` cats at a period of 5 s."""
    with Lab(PROGRAMS) as lab:
        lines = [f"{name}: {cat(program, kind, lab, PERIOD_S)}" for name, program, kind in checks(lab, count)]
        begin = time.monotonic()
        process = healthcheckd.start_with(lab, lines)

        # A worker writes its first line when it is confined and about to say that it is ready.
        def all_ready():
            return sum(entry.stat().st_size > 0 for entry in os.scandir(lab.dir / "log")) == count
        wait_for("all workers", all_ready, 120)
        started_s = time.monotonic() - begin
        time.sleep(12)
        lab.arrivals()
        begin, before = time.monotonic(), cpu_ns(tree(process.pid))
        time.sleep(watch_s)
        spent = time.monotonic() - begin
        used = cpu_ns(tree(process.pid)) - before
        seen = sum(map(len, lab.arrivals().values()))
        pids = tree(process.pid)
        row = {"cats": count, "start_s": round(started_s, 2), "cpu_percent": round(used / 1e7 / spent, 1),
               "us_per_check": round(used / 1000 / (seen * 4), 1),
               "made_of_asked": round(seen * 4 / (count * spent / PERIOD_S), 3),
               "master_kb": private_kb(process.pid), "master_dirty_kb": dirty_kb(process.pid), "memory_mb": round(sum(map(private_kb, pids)) / 1024, 1),
               "master_descriptors": descriptors(process.pid), "processes": len(pids)}
        row["stop_s"] = round(lab.end(process), 2)
        return row


def soak(healthcheckd, cats=400, period_s=0.5, probes=100_000):
    """The master's memory and descriptors before and after many probes."""
    with Lab(PROGRAMS) as lab:
        process = healthcheckd.start_with(lab, [f"{name}: {cat(program, kind, lab, period_s)}"
                                                for name, program, kind in checks(lab, cats)])
        time.sleep(20)
        before = private_kb(process.pid), descriptors(process.pid)
        time.sleep(probes / cats * period_s)
        after = private_kb(process.pid), descriptors(process.pid)
        return {"probes": probes, "master_kb": [before[0], after[0]], "master_descriptors": [before[1], after[1]]}
