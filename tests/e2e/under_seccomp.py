"""Runs a program under examples/seccomp.json: under_seccomp.py PROFILE PROGRAM ARGUMENT…"""
import ctypes
import errno
import json
import os
import sys

import pyseccomp

profile = json.load(open(sys.argv[1]))
assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
for group in profile["syscalls"]:
    for name in group["names"]:
        try:
            rules.add_rule(pyseccomp.ALLOW, name)
        except (ValueError, OSError):
            pass  # a system call which this machine's architecture does not have
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
rules.load()
os.execv(sys.argv[2], sys.argv[2:])
