"""The results as tables for people (table.md), as JSON (results.json) and as a picture (cpu-per-check.svg)."""
import json
import subprocess

PLOT = """\
set terminal svg size 640,400 font 'sans,12' background '#ffffff'
set output '{output}'
set title 'Processor time per check ({machine})'
set xlabel 'checks, each of its own program, every 5 s'
set ylabel 'microseconds, whole process tree'
set logscale y
set grid
set key outside bottom center horizontal
plot {lines}
"""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def cost_table(rows):
    monit = {row["cats"]: row for row in rows if row["monitor"] == "monit"}

    # The spread is that of the windows: the least and the most that two of them can give.
    def ratio(row):
        if row["monitor"] == "monit" or row["cats"] not in monit:
            return "-"
        own, other = row["us_per_check_all"], monit[row["cats"]]["us_per_check_all"]
        return f"{row['us_per_check'] / monit[row['cats']]['us_per_check']:.2f} " \
               f"({min(own) / max(other):.2f} to {max(own) / min(other):.2f})"
    return table(["checks", "monitor", "µs per check", "monit = 1 (spread)", "load on supervisord", "private memory",
                  "page tables"],
                 [[row["cats"], row["monitor"], row["us_per_check"], ratio(row),
                   f"{max(row['supervisord_percent'], 0):.2f} %", f"{row['memory_mb']} MB",
                   f"{row['page_tables_mb']} MB"] for row in rows])


def http_table(rows):
    return table(["http checks", "monitor", "µs per check", "of all windows", "request after it was due, ms (median / p99 / max)",
                  "private memory"],
                 [[row["cats"], row["monitor"], row["us_per_check"], ", ".join(map(str, row["us_per_check_all"])),
                   delay_text(row["late_ms"]), f"{row['memory_mb']} MB"] for row in rows])


def delay_text(values):
    return f"{values['p50']} / {values['p99']} / {values['max']}"


def delay_table(rows):
    return table(["trouble elsewhere", "cats", "probe after its tick, ms (median / p99 / max)",
                  "first instruction of an action after the failing tick, ms: one", "ten at once", "ticks missed"],
                 [[row["trouble"], row["cats"], delay_text(row["tick_late_ms"]),
                   delay_text(row["one_action_after_tick_ms"]), delay_text(row["action_after_tick_ms"]),
                   row["ticks_missed"]] for row in rows])


def scale_table(rows):
    return table(["cats", "start, s", "stop, s", "processor, % of a core", "µs per check", "made of asked", "master, kB (dirty)",
                  "all private memory, MB", "descriptors of the master"],
                 [[row["cats"], row["start_s"], row["stop_s"], row["cpu_percent"], row["us_per_check"],
                   row["made_of_asked"], f"{row['master_kb']} ({row['master_dirty_kb']})", row["memory_mb"], row["master_descriptors"]] for row in rows])


def worker_table(rows):
    kinds = ("mem", "cpu", "tcp", "http")
    return table(["cats", *kinds, "master (dirty)"],
                 [[row["cats"], *(f"{row['worker_kb'][kind]} + {row['worker_page_tables_kb'][kind]}"
                                  if kind in row["worker_kb"] else "-" for kind in kinds),
                   f"{row['root_kb']} ({row['root_dirty_kb']})"] for row in rows if row["monitor"] == "healthcheckd"])


def draw(results, output):
    names = list(dict.fromkeys(row["monitor"] for row in results["cost"]))
    lines = ", ".join(f"'-' using 1:2 with linespoints linewidth 2 title '{name}'" for name in names)
    data = "".join("".join(f"{row['cats']} {row['us_per_check']}\n" for row in results["cost"]
                           if row["monitor"] == name) + "e\n" for name in names)
    machine = f"{results['machine']['cores']} cores, {results['machine']['date']}"
    subprocess.run(["gnuplot"], input=PLOT.format(output=output, machine=machine, lines=lines) + data, text=True,
                   check=True)


def write(results, folder):
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    machine = results["machine"]
    text = f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, {machine['date']}, " \
           f"load {machine['load_at_start']:.2f} at the start\n\n"
    if results["cost"]:
        text += cost_table(results["cost"]) + "\nPrivate memory of a worker + its page tables, and private memory of the master, kB:\n\n"
        text += worker_table(results["cost"]) + "\n"
        draw(results, folder / "cpu-per-check.svg")
    if results["http"]:
        text += http_table(results["http"]) + "\n"
    if results["delay"]:
        text += delay_table(results["delay"]) + "\n"
        text += "From the closing of a port to the action, beside 20 web servers that hang: " + ", ".join(
            f"{name} {seconds} s" for name, seconds in results["behind_hanging_s"].items()) + "\n\n"
    if results["scale"]:
        text += scale_table(results["scale"]) + "\n" + json.dumps(results["soak"]) + "\n"
    (folder / "table.md").write_text(text)
    print(text)
