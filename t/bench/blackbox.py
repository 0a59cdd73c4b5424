"""The http probe alone, beside the blackbox exporter of Prometheus: what it costs, and how late its request comes.

The exporter probes when Prometheus asks it to. A scraper in the place of Prometheus asks for each target once a period,
spread over it, as Prometheus does; what the scraper itself costs is not counted.
"""
import http.client
import statistics
import threading
import time
import urllib.parse

import cost
from delay import grids, percentiles, after_tick_ms
from lab import Lab, free_ports, wait_for
from usage import cpu_ns, private_kb, tree

EXPORTER = "/usr/bin/prometheus-blackbox-exporter"
PERIOD_S = 5
WARM_UP_S = 12
CONFIG = "modules: {http: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4}}}\n"


def measure_ours(healthcheckd, cats, windows, window_s):
    with Lab(cats) as lab:
        process = healthcheckd.start_with(
            lab, [f"c{i}: {{program: {program}, type: http, host: 127.0.0.1, port: {lab.http_port}, path: /{i}, "
                  f"periodSeconds: {PERIOD_S}, action: email}}" for i, program in enumerate(lab.programs)])
        time.sleep(WARM_UP_S + cats / 200)
        per_check_us = []
        for _ in range(windows):
            used, _, _, made, _ = cost.count(lab, process, cats, window_s, ("http",), PERIOD_S)
            per_check_us.append(used / 1000 / made)
        lab.arrivals()
        time.sleep(window_s)
        arrivals = lab.arrivals()
        grid = grids(arrivals)
        late = [after_tick_ms(moment, grid[path]) for path, moments in arrivals.items() for moment in moments]
        return row(healthcheckd.name, cats, per_check_us, late, process)


class Scraper(threading.Thread):
    """Asks the exporter for each target once a period."""

    def __init__(self, lab, port, targets):
        super().__init__(daemon=True)
        self.lab, self.port, self.targets = lab, port, targets
        self.over, self.asked, self.failed = threading.Event(), {}, ""

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        begin = time.monotonic()
        for round_number in range(1_000_000):
            for i in range(self.targets):
                due = begin + (round_number + i / self.targets) * PERIOD_S
                if self.over.wait(max(0, due - time.monotonic())):
                    return
                target = urllib.parse.quote(f"http://127.0.0.1:{self.lab.http_port}/{i}", safe="")
                self.asked.setdefault(f"/{i}", []).append(time.monotonic_ns())
                connection.request("GET", f"/probe?module=http&target={target}")
                if b"probe_success 1" not in connection.getresponse().read():
                    self.failed = f"the probe of target {i} failed"


def measure_exporter(_, cats, windows, window_s):
    with Lab(1) as lab:
        port, = free_ports(1)
        process = lab.run([EXPORTER, f"--config.file={lab.write('blackbox.yml', CONFIG)}",
                           f"--web.listen-address=127.0.0.1:{port}"], "exporter")
        wait_for("the exporter", lambda: "Listening on" in lab.read("exporter.out"), 30)
        scraper = Scraper(lab, port, cats)
        scraper.start()
        try:
            time.sleep(WARM_UP_S)
            lab.arrivals()
            scraper.asked = {}
            per_check_us, late = [], []
            for _ in range(windows):
                before = cpu_ns(tree(process.pid))
                time.sleep(window_s)
                used, arrivals, asked = cpu_ns(tree(process.pid)) - before, lab.arrivals(), scraper.asked
                scraper.asked = {}
                per_check_us.append(used / 1000 / sum(map(len, arrivals.values())))
                late += [(moment - sent) / 1e6 for path, moments in arrivals.items()
                         for moment, sent in zip(moments, asked.get(path, [])) if 0 <= moment - sent < 1e9]
        finally:
            scraper.over.set()
        if scraper.failed:
            raise RuntimeError(scraper.failed)
        return row("blackbox exporter", cats, per_check_us, late, process)


def row(name, cats, per_check_us, late, process):
    return {"monitor": name, "cats": cats, "us_per_check": round(statistics.median(per_check_us), 1),
            "us_per_check_all": [round(value, 1) for value in per_check_us], "late_ms": percentiles(late),
            "memory_mb": round(sum(map(private_kb, tree(process.pid))) / 1024, 2)}
