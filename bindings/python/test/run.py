#!/usr/bin/env python3
"""Runs the tests of the Python package with pytest; the last line is "N passed, N failed".

  run.py [PYTEST OPTION ...]     exits with 77 (skipped) where pytest or numpy is missing

The package is the installed one, or with HYBRIDLM_LIBRARY the one of this tree on that library.
"""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


class Count:
    """A plugin that counts tests: a test fails when any of its phases does."""

    def __init__(self):
        self.passed, self.failed = set(), set()

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.passed and report.when == "call":
            self.passed.add(report.nodeid)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed.add(report.nodeid)


def main():
    try:
        import numpy  # noqa: F401
        import pytest
    except ImportError as e:
        print(f"run.py: {e}", file=sys.stderr)
        return SKIPPED
    if "HYBRIDLM_LIBRARY" in os.environ:
        os.environ["PYTHONPATH"] = str(HERE.parent)  # for the programs that tests start
        sys.path.insert(0, str(HERE.parent))
    count = Count()
    pytest.main(["-q", "-p", "no:cacheprovider", str(HERE), *sys.argv[1:]], plugins=[count])
    passed = count.passed - count.failed
    print(f"{len(passed)} passed, {len(count.failed)} failed")
    return 0 if passed and not count.failed else 1


sys.exit(main())
