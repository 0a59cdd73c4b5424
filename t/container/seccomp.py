"""Docker's default filter of system calls, as the OCI runtime takes it.

Debian has it as /usr/share/containers/seccomp.json, with rules that depend on the capabilities of the container and on
the architecture.
"""
import platform

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # by the names of uname(2); the profile has those of Go


def concerns(rule, capabilities, architecture):
    """Whether a rule holds for a container with these capabilities. Every kernel here is new enough for minKernel."""
    for word, wanted in (("includes", True), ("excludes", False)):
        said = rule.get(word, {})
        if said.get("arches") and (architecture in said["arches"]) != wanted:
            return False
        # All that are included; none that are excluded.
        if said.get("caps") and (all if wanted else any)(one in capabilities for one in said["caps"]) != wanted:
            return False
    return True


def section(profile, capabilities, machine=platform.machine()):
    """`linux.seccomp` of config.json, of `profile` as it was read, for a container with `capabilities` ("CAP_KILL")."""
    architecture = ARCHITECTURES[machine]
    calls = []
    for rule in profile["syscalls"]:
        if not concerns(rule, capabilities, architecture):
            continue
        call = {"names": rule["names"], "action": rule["action"]}
        if rule.get("args"):
            call["args"] = [{key: arg[key] for key in ("index", "value", "valueTwo", "op")} for arg in rule["args"]]
        if "errnoRet" in rule:
            call["errnoRet"] = rule["errnoRet"]
        calls.append(call)
    names = next([entry["architecture"], *entry["subArchitectures"]] for entry in profile["archMap"]
                 if entry["architecture"] == "SCMP_ARCH_" + machine.upper())
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile["defaultErrnoRet"],
            "architectures": names, "syscalls": calls}
