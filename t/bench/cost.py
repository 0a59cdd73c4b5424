"""What watching costs: processor time per check, memory, and load on supervisord."""
import statistics
import time

from contenders import TYPES
from lab import Lab
from usage import command, cpu_ns, descriptors, dirty_kb, page_tables_kb, private_kb, tree

PERIOD_S = 5

WARM_UP_S = 9
IDLE_S = 3


def count(lab, process, cats, window_s, types, period_s):
    """Processor time of the monitor, of supervisord, and the checks made, over about `window_s` seconds.

    Reading all processes takes long enough for a burst of probes to fall between, so both ends lie in a gap. Monitors
    that sleep between their rounds make fewer checks than they were asked for: what counts is those that were made. Of
    all types, the http checks can be seen from outside.
    """
    seen = "http" in types
    if seen:
        lab.wait_for_quiet()
        lab.arrivals()
    begin, before, watched = time.monotonic(), cpu_ns(tree(process.pid)), cpu_ns([lab.supervisord.pid])
    time.sleep(window_s)
    if seen:
        lab.wait_for_quiet()
    spent = time.monotonic() - begin
    used = cpu_ns(tree(process.pid)) - before
    asked = cats * spent / period_s
    made = sum(map(len, lab.arrivals().values())) * len(types) if seen else asked
    return used, cpu_ns([lab.supervisord.pid]) - watched, spent, made, asked


def measure(contender, cats, programs, windows, window_s, types=TYPES, period_s=PERIOD_S):
    """One monitor with `cats` checks; the middle of `windows` measurements of `window_s` seconds each."""
    with Lab(programs) as lab:
        idle = cpu_ns([lab.supervisord.pid])
        time.sleep(IDLE_S)
        idle = (cpu_ns([lab.supervisord.pid]) - idle) / 1e9 / IDLE_S * 100
        process = contender.start(lab, cats, period_s, types)
        time.sleep(WARM_UP_S + cats / 200)
        per_check_us, supervisord, rate = [], [], []
        for _ in range(windows):
            used, watched, spent, made, asked = count(lab, process, cats, window_s, types, period_s)
            if made == 0:
                raise RuntimeError(f"{contender.name} checked nothing:\n" + lab.read(f"{contender.name}.out")[-2000:])
            per_check_us.append(used / 1000 / made)
            rate.append(made / asked)
            supervisord.append(watched / 1e9 / spent * 100)
        if process.poll() is not None:
            raise RuntimeError(f"{contender.name} has ended:\n" + lab.read(f"{contender.name}.out")[-2000:])
        pids = tree(process.pid)
        memory = {pid: private_kb(pid) for pid in pids}
        tables = {pid: page_tables_kb(pid) for pid in pids}
        row = {"monitor": contender.name, "cats": cats, "programs": programs, "types": list(types), "period_s": period_s,
               "us_per_check": round(statistics.median(per_check_us), 1),
               "made_of_asked": round(statistics.median(rate), 3),
               "us_per_check_all": [round(value, 1) for value in per_check_us],
               "supervisord_percent": round(statistics.median(supervisord) - idle, 3),
               "supervisord_idle_percent": round(idle, 3),
               "memory_mb": round(sum(memory.values()) / 1024, 2), "page_tables_mb": round(sum(tables.values()) / 1024, 2),
               "root_kb": memory[process.pid], "root_dirty_kb": dirty_kb(process.pid), "root_descriptors": descriptors(process.pid),
               "processes": len(pids)}
        kinds = {}
        for pid in pids[1:]:
            title = command(pid)
            for kind in ("mem", "cpu", "tcp", "http"):
                if f"[{kind} " in title:
                    kinds.setdefault(kind, []).append(pid)
        row["worker_kb"] = {kind: statistics.median(memory[pid] for pid in its) for kind, its in sorted(kinds.items())}
        row["worker_page_tables_kb"] = {kind: statistics.median(tables[pid] for pid in its)
                                        for kind, its in sorted(kinds.items())}
        return row
