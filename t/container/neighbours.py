"""Two healthcheckds on one machine, each under a supervisord of its own with the same programs and checks: one in a
container, one outside, which sees the processes of that container. Neither may touch what the other has."""
import re
import time
from pathlib import Path

import features
from container import Container
from outside import Outside

NAME = "neighbours"
INSIDE, OUTSIDE = f"{NAME}-inside", f"{NAME}-outside"
SAME = 20  # seconds in which nothing but what is restarted or killed may get another pid
SETTLED = 1  # seconds: a result that was on its way when a program stopped has come
SEARCHED = 8  # seconds of probes while there is no such program
WORK = ("own", "other", "changed", "by-name", "net", "restarts", "restart", "kill", "exec")
STATE = "/var/lib/healthcheckd"
FOREIGN = "/var/lib/neighbour"  # where each has the stateDir of the other
TAKEN = 75  # the exit status when another one has the stateDir
SECOND = """
config: {{stateDir: {state}, socket: /run/second/healthcheckd.sock}}
own: {{program: own, type: cpu, action: restart}}
"""


def tries(environment, image, parts, work):
    """Tries everything with a container of this environment: a title, and what is wrong or "", of each."""
    states = {name: work / f"{name}-state" for name in (INSIDE, OUTSIDE)}
    for folder in states.values():
        folder.mkdir()
    with (Outside(OUTSIDE, image, work, ((STATE, states[OUTSIDE]), (FOREIGN, states[INSIDE]))) as outside,
          Container(environment, image, parts, work, INSIDE,
                    ((STATE, states[INSIDE]), (FOREIGN, states[OUTSIDE]))) as inside):
        for place in (outside, inside):
            yield f"{word(place)} works beside the other", lacking(place)
        yield from in_a_while(outside, inside)
        for killed, other in ((outside, inside), (inside, outside)):
            yield f"{word(killed)} comes again after SIGKILL, the other goes on", dies(killed, other)
        yield "outside does not take web of the container", takes_other(outside, "unknown", "in a container")
        yield "inside does not take web of the machine", takes_other(inside, "idle", "no process")
        for second, first in ((outside, inside), (inside, outside)):
            yield f"{word(second)} no healthcheckd starts with the stateDir of the other", takes_state(second, first)


def word(place):
    return place.name.rpartition("-")[2]


def until(right, limit=features.LIMIT):
    """Waits until right() is "", which says what is wrong; the last that it said."""
    deadline = time.monotonic() + limit
    while (wrong := right()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return wrong


def lacking(place):
    return "\n".join(filter(None, (features.differs(place, feature, "works") for feature in WORK)))


def pid_of(place, program):
    return int(place.run("supervisorctl", "pid", program).stdout)


def pids(place):
    """Of what nobody restarts or kills: programs, healthcheckd, workers."""
    status = place.status()
    workers = {f"worker of {cat['name']}": cat["worker"]["pid"] for cat in status["cats"]}
    return {"healthcheckd": status["pid"], **workers,
            **{program: pid_of(place, program) for program in ("own", "other", "web")}}


def changed(before, after):
    return "; ".join(f"{name}: {pid}, then {after.get(name)}" for name, pid in before.items() if after.get(name) != pid)


def kills(place):
    """How often supervisord has seen that `killed` was killed, and how often healthcheckd has done it."""
    seen = len(re.findall(r"exited: killed \(terminated by SIGKILL", place.log()))
    return seen, features.cats_of(place)["kill"]["actions"]["fired"]


def settled_kills(place):
    """kills() while none is on its way."""
    last = kills(place)
    for _ in range(20):
        time.sleep(0.5)
        before, last = last, kills(place)
        if before == last:
            break
    return last


def in_a_while(*places):
    pids_before, kills_before = [pids(place) for place in places], [settled_kills(place) for place in places]
    time.sleep(SAME)
    for place, before, (seen, done) in zip(places, pids_before, kills_before):
        yield f"{word(place)} keeps all pids for {SAME} s", changed(before, pids(place))
        yield f"{word(place)} has no kills but its own", until(lambda: foreign_kills(place, seen, done))


def foreign_kills(place, seen, done):
    now_seen, now_done = kills(place)
    right = now_done > done and now_seen - seen == now_done - done
    return "" if right else f"{now_seen - seen} kills in supervisord's log, {now_done - done} by healthcheckd"


def by_name(place):
    """The cat by-name: pid, verdict and message of its last probe, and when that was, as text."""
    cat = features.cats_of(place)["by-name"]
    probe = cat["lastProbe"]
    return (cat["pid"], probe["verdict"], probe["message"], probe["at"]) if probe else (0, "", "no probe", "")


def finds_own(place):
    pid, verdict, message, _ = by_name(place)
    own = pid_of(place, "web")
    return "" if verdict == "success" and pid == own else f"web is {own}; by-name has {pid}: {verdict}: {message}"


def takes_other(place, wanted, reason):
    """Stops web in a place: the cat that looks for it by its name finds none, and it again when it is started again."""
    if wrong := until(lambda: finds_own(place)):
        return wrong
    place.run("supervisorctl", "stop", "web")
    time.sleep(SETTLED)
    last, since = None, by_name(place)[3]
    found = []
    deadline = time.monotonic() + SEARCHED
    while time.monotonic() < deadline:
        _, verdict, message, at = last = by_name(place)
        if at > since and verdict == "success":
            found.append(message)
        time.sleep(0.3)
    place.run("supervisorctl", "start", "web")
    if found or last[3] <= since:
        return f"without web, by-name found: {found}; its last probe was {last}, the one before at {since}"
    if last[1] != wanted or reason not in last[2]:
        return f"without web, by-name had {last}"
    return until(lambda: finds_own(place))


def processes(place):
    return {int(name) for name in place.run("ls", "/proc").stdout.split() if name.isdecimal()}


def dies(place, other):
    """Kills healthcheckd."""
    before, other_before = pids(place), pids(other)
    workers = {pid for name, pid in before.items() if name.startswith("worker") and pid > 0}
    place.run("sh", "-c", f"kill -KILL {before['healthcheckd']}")
    if wrong := until(lambda: ", ".join(map(str, workers & processes(place)))):
        return "workers that have not ended: " + wrong
    place.await_answer()
    if place.status()["pid"] == before["healthcheckd"]:
        return "healthcheckd was not killed"
    return lacking(place) or changed(other_before, pids(other))


def takes_state(place, other):
    """Starts another healthcheckd by hand."""
    file = place.root / "tmp/second.yaml"
    file.write_text(SECOND.format(state=FOREIGN))
    file.chmod(0o600)
    before = pids(other)
    ended = place.run("timeout", "30", "healthcheckd", "-c", "/tmp/second.yaml")
    said = ended.stdout + ended.stderr
    holder = re.search(r"another healthcheckd \((?:pid (\d+)|in another pid namespace)\)", said)
    if ended.returncode != TAKEN or not holder or f"stateDir {FOREIGN}" not in said:
        return f"exit {ended.returncode}: {said}"
    if holder[1]:
        line = re.search(r"^NSpid:(.*)$", Path(f"/proc/{holder[1]}/status").read_text(), re.MULTILINE)
        if int(line[1].split()[-1]) != before["healthcheckd"]:
            return f"process {holder[1]} is not that healthcheckd: {said}"
    return changed(before, pids(other))
