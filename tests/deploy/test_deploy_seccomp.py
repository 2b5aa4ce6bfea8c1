"""The seccomp profile takes back what CAP_DAC_READ_SEARCH would give away."""

import json

from tests.deploy.rendering import PROJECT

PROFILE = json.loads((PROJECT / "deploy/seccomp/kube-pki-exporter.json").read_text())
ALLOWED = {name for rule in PROFILE["syscalls"] for name in rule["names"]}


def test_what_is_not_named_is_refused() -> None:
    """The profile is a list of what is allowed."""
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    assert {rule["action"] for rule in PROFILE["syscalls"]} == {"SCMP_ACT_ALLOW"}


def test_no_file_is_opened_past_the_mounts() -> None:
    """With the capability, open_by_handle_at reaches every file of a file system of which one is mounted."""
    assert not ALLOWED & {"open_by_handle_at", "name_to_handle_at", "fanotify_init", "file_handle"}


def test_nothing_else_of_the_host_is_within_reach() -> None:
    """Neither mounts, namespaces, other processes nor the kernel."""
    refused = {
        *("mount", "umount2", "move_mount", "open_tree", "pivot_root", "chroot", "setns", "unshare"),
        *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "bpf", "perf_event_open"),
        *("init_module", "finit_module", "kexec_load", "keyctl", "io_uring_setup", "userfaultfd", "chmod"),
    }
    assert not ALLOWED & refused


def test_sockets_are_local_or_of_the_internet() -> None:
    """No raw packets, no netlink, no vsock."""
    families = {rule["args"][0]["value"] for rule in PROFILE["syscalls"] if rule["names"] == ["socket"]}
    assert families == {1, 2, 10}
