#!/usr/bin/env python3
"""Runs the integration tests: run.py [--big] [--keep] [--list] [--stop] [NAME-PART...]"""

import sys

sys.dont_write_bytecode = True

import harness  # noqa: E402

if __name__ == "__main__":
    sys.exit(harness.main(sys.argv[1:]))
