"""What the OCI runtime is told of a container: config.json, for an environment of the file `environments`."""
import json
import shlex

import seccomp

# What Docker leaves to root.
DOCKER = ("CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT "
          "KILL AUDIT_WRITE").split()
FIRST_ID = 300_000  # of a user namespace
MAPPED = {"one": 1, "many": 65_536}  # ids in one that Podman gives a user without root, and that Docker gives
HIDDEN = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
          "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def capabilities(environment):
    """Of `capabilities = docker +SYS_PTRACE -CHOWN`, or `none +KILL`: names as the runtime has them."""
    first, *changes = environment["capabilities"].split()
    names = set(DOCKER if first == "docker" else [])
    for change in changes:
        (names.add if change[0] == "+" else names.discard)(change[1:])
    return sorted("CAP_" + name for name in names)


def tmpfs(environment):
    """Pairs of a place and its options."""
    for place in environment["tmpfs"].split():
        path, _, options = place.partition(":")
        yield path, options.split(",")


def mounts(environment, rootless, folders):
    proc = ["nosuid", "noexec", "nodev"] + ([environment["proc"]] if environment["proc"] else [])
    all_ = [("/proc", "proc", "proc", proc),
            ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            ("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
            ("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"])]
    # A user namespace that has no network namespace of its own cannot mount sysfs; here it has.
    all_.append(("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]))
    if not rootless:
        all_.append(("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"]))
    all_.extend((path, "tmpfs", "tmpfs", ["nosuid", "nodev", *options]) for path, options in tmpfs(environment))
    all_.extend((path, "bind", str(folder), ["bind"]) for path, folder in folders)
    return [{"destination": path, "type": kind, "source": source, "options": options}
            for path, kind, source, options in all_]


def resources(environment):
    limits = {"devices": [{"allow": False, "access": "rwm"}]}
    if environment["memory"]:
        limits["memory"] = {"limit": int(environment["memory"]) << 20}  # MB
    if environment["pids"]:
        limits["pids"] = {"limit": int(environment["pids"])}
    return limits


def config(environment, root, entrypoint, profile, group, folders):
    """config.json as an object. `group`: the path of its cgroup. `profile`: that of seccomp.py, as it was read.
    `folders`: pairs of a place and the folder of this machine that is mounted there."""
    user = int(environment["user"])
    names = capabilities(environment)
    ids = environment["ids"]
    sets = {kind: names for kind in ("bounding", "effective", "permitted")}
    if user != 0:  # as execve(2) leaves it to a user
        sets.update(effective=[], permitted=[])
    process = {"terminal": False, "user": {"uid": user, "gid": user}, "cwd": "/",
               "args": shlex.split(environment["init"]) + entrypoint,
               "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
               "capabilities": {**sets, "inheritable": [], "ambient": []},
               "noNewPrivileges": environment.getboolean("no-new-privileges")}
    linux = {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network")],
             "maskedPaths": HIDDEN, "readonlyPaths": READ_ONLY}
    if environment["cgroups"] == "v2":  # as Docker has it
        linux["namespaces"].append({"type": "cgroup"})
    if environment["seccomp"] == "docker":
        linux["seccomp"] = seccomp.section(profile, names)
    if environment["ipv6"] == "no":
        linux["sysctl"] = {f"net.ipv6.conf.{which}.disable_ipv6": "1" for which in ("all", "default")}
    if ids != "one":
        linux.update(cgroupsPath=group, resources=resources(environment))
    if ids != "none":
        linux["namespaces"].append({"type": "user"})
        for kind in ("uidMappings", "gidMappings"):
            linux[kind] = [{"containerID": 0, "hostID": FIRST_ID, "size": MAPPED[ids]}]
    return {"ociVersion": "1.0.2", "process": process, "hostname": "container", "linux": linux,
            "root": {"path": str(root), "readonly": environment.getboolean("read-only")},
            "mounts": mounts(environment, ids == "one", folders)}


def write(folder, *args):
    (folder / "config.json").write_text(json.dumps(config(*args), indent=1))
