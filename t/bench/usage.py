"""What a tree of processes uses, as the kernel counts it (proc(5))."""
import os
from pathlib import Path

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _stat(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(root):
    """`root` and all its descendants."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                children.setdefault(int(_stat(name)[1]), []).append(int(name))
            except OSError:
                pass
    found, look = [], [root]
    while look:
        pid = look.pop()
        found.append(pid)
        look += children.get(pid, [])
    return found


def cpu_ns(pids):
    """Processor time of the processes and of their children that have ended, in nanoseconds.

    The living are taken from schedstat, which counts each task to the nanosecond; utime and stime of stat are rounded
    to 10 ms, too coarse for a worker that needs a tenth of a millisecond for each probe.
    """
    total = 0
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
            fields = _stat(pid)
            total += (int(fields[13]) + int(fields[14])) * TICK_NS
        except OSError:
            pass
    return total


def private_kb(pid, kinds=("Private_Clean", "Private_Dirty", "Private_Hugetlb")):
    """Memory that no other process shares (USS), in kB; 0 for a process that is gone.

    Private_Clean is pages of libraries that just nobody else has mapped: the kernel can drop them at any time.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(kinds))


def dirty_kb(pid):
    return private_kb(pid, ("Private_Dirty",))


def page_tables_kb(pid):
    """What the kernel needs to map the process's memory, which USS leaves out; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmPTE:"))


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
