#!/usr/bin/env python3
"""Fetches the real servers and runtime clients that the tests run, at pinned versions, into a cache.

    parts.py list            what there is, and whether it is in the cache
    parts.py fetch NAME...   fetch (all: every part); prints the folder of each
    parts.py path NAME       the folder of a part that is already there

The cache is $PENSTOCK_CACHE or .cache/ of the project. A part whose tools are missing is reported as
`SKIP: NAME: TOOL is missing`. Fetching is safe from several processes at once and does nothing the
second time; a part whose version or sources changed is made anew.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("PENSTOCK_CACHE") or ROOT / ".cache").resolve()
FUNCTIONS = ROOT / "tests" / "integration" / "functions"


class Unavailable(Exception):
    """The part cannot be made on this machine; the text says why."""


def run(argv, log, **options):
    log.write(("$ " + " ".join(map(str, argv)) + "\n").encode())
    log.flush()
    done = subprocess.run(
        list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options
    )
    if done.returncode != 0:
        raise Unavailable(f"{Path(str(argv[0])).name} failed with {done.returncode}, see {log.name}")


def maven(folder, log, *coordinates):
    """Fills folder/lib with the jars and what they need at run time."""
    wanted = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId>"
        "<version>{}</version></dependency>".format(*c.split(":"))
        for c in coordinates
    )
    pom = folder / "pom.xml"
    pom.write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId>"
        "<version>1</version><packaging>pom</packaging>"
        f"<dependencies>{wanted}</dependencies></project>"
    )
    run(
        ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
         "-DincludeScope=runtime", f"-DoutputDirectory={folder / 'lib'}"],
        log,
    )


def venv(folder, log, *requirements):
    run([sys.executable, "-m", "venv", folder / "venv"], log)
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "install", "-q", *requirements], log)


def make_elasticmq(folder, log):
    maven(folder, log, "org.elasticmq:elasticmq-server_2.13:1.7.1")


def make_moto(folder, log):
    venv(folder, log, "moto[server]==5.2.5", "boto3==1.44.5")


def make_awscli(folder, log):
    venv(folder, log, AWSCLI)


def make_ministack(folder, log):
    venv(folder, log, MINISTACK)


def make_python(folder, log):
    venv(folder, log, "awslambdaric==4.2.2")


def go_build(log, sources, program):
    environment = dict(os.environ, CGO_ENABLED="0", GOTOOLCHAIN="local")
    run(
        ["go", "build", "-trimpath", "-ldflags", "-s -w", "-tags", "lambda.norpc",
         "-o", program, "."],
        log, cwd=FUNCTIONS / sources, env=environment,
    )


def make_go(folder, log):
    go_build(log, "go", folder / "bootstrap")


def make_gosqs(folder, log):
    go_build(log, GO_SQS, folder / "client")


def make_rust(folder, log):
    target = folder / "target"
    run(
        ["cargo", "build", "--release", "--locked", "--target-dir", target],
        log, cwd=FUNCTIONS / "rust",
    )
    shutil.copy2(target / "release" / "bootstrap", folder / "bootstrap")
    shutil.rmtree(target)


def make_java(folder, log):
    maven(
        folder, log,
        "com.amazonaws:aws-lambda-java-runtime-interface-client:2.9.0",
        "com.amazonaws:aws-lambda-java-core:1.4.0",
    )
    sources = sorted((FUNCTIONS / "java").rglob("*.java"))
    run(["javac", "-cp", f"{folder}/lib/*", "-d", folder / "classes", *sources], log)
    # The client unpacks its library to one fixed hidden file: two that start together crash each
    # other. Unpacked here once, named by a property (see jni() below).
    jar = next((folder / "lib").glob("aws-lambda-java-runtime-interface-client-*.jar"))
    run(["jar", "xf", jar, "jni/" + JNI], log, cwd=folder)


def node_client(folder, log, version, keep):
    work = folder / "work"
    work.mkdir()
    (work / "package.json").write_text('{"private": true}')
    environment = dict(os.environ)
    headers = Path(shutil.which("node")).resolve().parents[1]
    if (headers / "include" / "node" / "node.h").exists():
        environment["npm_config_nodedir"] = str(headers)
    run(
        ["npm", "install", "--no-audit", "--no-fund", f"aws-lambda-ric@{version}"],
        log, cwd=work, env=environment,
    )
    package = work / "node_modules" / "aws-lambda-ric"
    out = folder / "aws-lambda-ric"
    out.mkdir()
    for name in keep:
        if (package / name).is_dir():
            shutil.copytree(package / name, out / name)
        else:
            shutil.copy2(package / name, out / name)
    shutil.rmtree(work)


def make_node3(folder, log):
    node_client(folder, log, "3.3.0", ["bin", "dist", "package.json"])


def make_node4(folder, log):
    node_client(folder, log, "4.0.2", ["index.mjs", "rapid-client.node", "package.json"])


JNI = "libaws-lambda-jni.linux-x86_64.so"
VENV = "python3-venv"
MINISTACK = "ministack==1.5.33"
AWSCLI = "awscli==1.46.3"
GO_SQS = "../clients/go-sqs"
AUTOTOOLS = ["node", "npm", "autoreconf", "automake", "libtoolize", "cmake", "g++", "make"]

# name: (maker, version, tools, folder of sources that the result depends on)
PARTS = {
    "elasticmq": (make_elasticmq, "1.7.1", ["mvn", "java"], None),
    "moto": (make_moto, "5.2.5", [VENV], None),
    "ministack": (make_ministack, "1.5.33", [VENV], None),
    "awscli": (make_awscli, "1.46.3", [VENV], None),
    "python": (make_python, "4.2.2", [VENV], None),
    "go": (make_go, "1", ["go"], "go"),
    "gosqs": (make_gosqs, "1", ["go"], GO_SQS),
    "rust": (make_rust, "1", ["cargo"], "rust"),
    "java": (make_java, "2.9.0", ["mvn", "java", "javac", "jar"], "java"),
    "node3": (make_node3, "3.3.0", AUTOTOOLS, None),
    "node4": (make_node4, "4.0.2", AUTOTOOLS, None),
}
PACKAGE_OF = {"mvn": "maven", "autoreconf": "autoconf", "libtoolize": "libtool"}


def key(name):
    """What the part was made from; another key means another part."""
    maker, version, _, sources = PARTS[name]
    digest = hashlib.sha256(version.encode())
    digest.update(repr((maker.__code__.co_code, maker.__code__.co_consts)).encode())
    if sources:
        for path in sorted((FUNCTIONS / sources).rglob("*")):
            if path.is_file():
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def ready(name):
    """The part's folder when it is in the cache and current, else None."""
    folder = CACHE / name
    stamp = folder / ".made-from"
    if stamp.exists() and stamp.read_text() == key(name):
        return folder
    return None


def missing_tool(name):
    for tool in PARTS[name][2]:
        if tool == VENV:
            there = importlib.util.find_spec("ensurepip") is not None
        else:
            there = shutil.which(tool) is not None
        if not there:
            return PACKAGE_OF.get(tool, tool)
    return None


@contextlib.contextmanager
def locked(name):
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def fetch(name):
    """The part's folder, made when it is not there. Raises Unavailable."""
    if name not in PARTS:
        raise Unavailable(f"{name}: no such part; there are {', '.join(PARTS)}")
    folder = ready(name)
    if folder:
        return folder
    tool = missing_tool(name)
    if tool:
        raise Unavailable(f"{name}: {tool} is missing")
    with locked(name):
        folder = ready(name)
        if folder:
            return folder
        folder = CACHE / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with open(CACHE / f"{name}.log", "wb") as log:
            try:
                PARTS[name][0](folder, log)
            except Unavailable as error:
                raise Unavailable(f"{name}: {error}") from None
        (folder / ".made-from").write_text(key(name))
        return folder


def jni(folder):
    """The JVM option that names the unpacked native library of the Java client."""
    return (
        "-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI="
        f"{folder}/jni/{JNI}"
    )


def main(argv):
    if not argv or argv[0] not in ("list", "fetch", "path"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    verb, names = argv[0], argv[1:]
    if verb == "list":
        for name in PARTS:
            tool = missing_tool(name)
            print(f"{name:10} {ready(name) or ('needs ' + tool if tool else 'not fetched')}")
        return 0
    failed = 0
    for name in list(PARTS) if names == ["all"] else names:
        if verb == "path":
            folder = ready(name)
            print(folder or f"{name}: not fetched")
            failed += folder is None
            continue
        start = time.monotonic()
        try:
            print(f"{name}: {fetch(name)} ({time.monotonic() - start:.1f} s)", flush=True)
        except Unavailable as error:
            print(f"SKIP: {error}", flush=True)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
