"""What of healthcheckd is tried in a container, and how it is seen that it works."""
import re
import time

LIMIT = 40  # seconds until a feature must show what is expected

# The cats of checks.yaml that show a feature.
MEASURED = {"own": ("own-rss", "own-pss", "own-uss", "own-cpu"),
            "other": ("other-rss", "other-cpu"), "other-pss": ("other-pss", "other-uss"),
            "changed": ("changed-rss", "changed-cpu"), "changed-pss": ("changed-pss", "changed-uss"),
            "by-name": ("by-name",), "net": ("web-tcp", "web-http"), "restarts": ("web-restarts",)}
ACTIONS = ("restart", "kill", "exec")
RELOADED = "\nsecond: {program: own, type: mem, maxMem: 1000, periodSeconds: 1, action: email}\n"


def differs(container, feature, expected):
    """Empty when the feature is as expected within LIMIT, else what it is."""
    deadline = time.monotonic() + LIMIT
    while True:
        wrong = [text for text in FEATURES[feature](container, feature) if not matches(text, expected)]
        if not wrong or time.monotonic() > deadline:
            return "\n".join(wrong)
        time.sleep(0.5)


def matches(found, expected):
    word, _, reason = expected.partition(": ")
    return found.partition(": ")[0] == word and reason in found


def cats_of(container):
    status = container.status()
    return {cat["name"]: cat for cat in status["cats"]} if status else None


def user_of_web(container):
    """The number of the user that the program web has become, as text; None when it cannot be seen."""
    pid = container.run("supervisorctl", "pid", "web").stdout.strip()
    user = container.run("stat", "--format=%u", f"/proc/{pid}").stdout.strip()
    return user if pid.isdecimal() and pid != "0" and user.isdecimal() else None


def measured(container, feature):
    if feature.startswith("changed"):
        user = user_of_web(container)
        if user in (None, container.user):
            return ["none" if user else "the user of web cannot be seen"]
    cats = cats_of(container)
    return [verdict(cats[name]) for name in MEASURED[feature]] if cats else ["no status"]


def verdict(cat):
    probe = cat["lastProbe"]
    if cat["programState"] in ("FATAL", "BACKOFF") and cat["state"] == "idle":
        return "none"
    if probe is None or cat["state"] not in ("healthy", "unknown"):
        return f"{cat['name']} is {cat['state']}: {probe}"
    word = {"success": "works", "unknown": "unknown"}.get(probe["verdict"], probe["verdict"])
    return f"{word}: {cat['name']}: {probe['message']}"


def acted(container, feature):
    cats = cats_of(container)
    last = cats[feature]["actions"]["last"] if cats else None
    return ["works" if last and last["kind"] == feature and last["ok"] else f"the last action: {last}"]


def mailed(container, _):
    """The notice of the restart waits in a message, as no server takes it."""
    status = container.status()
    queued = status["mail"]["queued"] if status else 0
    messages = container.run("sh", "-c", "ls /var/lib/healthcheckd/spool/*.message").stdout.split()
    return ["works" if queued >= 1 and messages else f"{queued} messages wait, in {messages}"]


def reloaded(container, _):
    """A new configuration is switched in as Kubernetes does it, and holds after `healthcheckctl reload`."""
    if "second" not in (cats_of(container) or {}):
        container.mount_configuration(container.configuration() + RELOADED)
    answer = container.run("healthcheckctl", "reload")
    cats = cats_of(container) or {}
    if answer.returncode != 0 or "second" not in cats:
        return [f"reload: {answer.stdout}{answer.stderr}"]
    return ["works" if cats["second"]["state"] == "healthy" else f"second is {cats['second']['state']}"]


def commanded(container, _):
    """`healthcheckd -t` takes the configuration; the image's own test of health says that something has failed, as it
    has."""
    found = []
    test = container.run("healthcheckd", "-t")
    if test.returncode != 0:
        found.append(f"healthcheckd -t: {test.stdout}{test.stderr}")
    health = container.run(*container.healthcheck())
    if health.returncode != 1 or "supervisord answers" not in health.stdout:
        found.append(f"the test of health: exit {health.returncode}: {health.stdout}{health.stderr}")
    return found or ["works"]


def said(container, _):
    """What the log says of missing rights after each start, without what it costs: one line at most."""
    starts = re.split(r" info healthcheckd \S+ watches ", container.log())[1:]
    return [missing_rights(start) for start in starts] or ["no start"]


def missing_rights(log):
    lines = [line.split(" warning ", 1)[1] for line in log.splitlines()
             if " warning " in line and ("without " in line or "not available on this system" in line)]
    return "; ".join(line.split(":", 1)[0] if line.startswith("without") else line for line in lines) or "nothing"


FEATURES = {**dict.fromkeys(MEASURED, measured), **dict.fromkeys(ACTIONS, acted), "mail": mailed, "commands": commanded,
            "reload": reloaded, "log": said}
