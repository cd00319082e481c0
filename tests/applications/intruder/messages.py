"""Attacks 20 and 21: NATS, with the agent's own token, others' and none."""

import json
import os
import time

from telling import DOORS, attempt, content, tell, unix


class Nats:
    """The least of a NATS client."""

    def __init__(self, token):
        self.socket = unix(f"{DOORS}/nats.sock")
        self.file = self.socket.makefile("rb")
        self.info = json.loads(self.file.readline().split(b" ", 1)[1])
        options = {
            "verbose": False,
            "pedantic": False,
            "lang": "x",
            "version": "1",
            "protocol": 1,
            "headers": True,
            "no_responders": True,
        }
        if token:
            options["auth_token"] = token
        self.send(b"CONNECT " + json.dumps(options).encode() + b"\r\n")

    def send(self, data):
        self.socket.sendall(data)

    def settle(self):
        """Everything the server says until it answers a ping: (errors, subjects of messages)."""
        self.send(b"PING\r\n")
        errors, heard = [], []
        while True:
            line = self.file.readline()
            if not line:
                raise OSError("the server hung up: " + " ".join(errors))
            word = line.split(b" ", 1)[0].strip().upper()
            if word == b"-ERR":
                errors.append(line.decode().strip())
                if "Authorization" in errors[-1]:
                    raise OSError(errors[-1])
            elif word in (b"MSG", b"HMSG"):
                parts = line.split()
                self.file.read(int(parts[-1]) + 2)
                heard.append(parts[1].decode())
            elif word == b"PING":
                self.send(b"PONG\r\n")
            elif word == b"PONG":
                return errors, heard


def nats(about):
    for name, token in (("none", ""), ("invented", "enrol.e30.x"), ("somebody else's", about["foreign"])):
        attempt(f"connect with {name} token", lambda token=token: Nats(token).settle() and "connected")
    mine = content(f"{DOORS}/token").decode()
    client = Nats(mine)
    errors, _ = client.settle()
    tell("the token of its own agent is let in", False, errors or "yes")
    hear = [
        ">",
        "*",
        "_INBOX.>",
        "_INBOX_registry.>",
        f"_INBOX_{about['other']}.>",
        "$JS.>",
        "$SYS.>",
        "$O.>",
        "$KV.>",
    ]
    hear += [
        f"commands.{about['other']}",
        f"control.{about['other']}",
        "commands.>",
        "events.>",
        "heartbeats.>",
    ]
    hear += ["launchers.>", "$JS.EVENT.>", "$SYS.REQ.USER.AUTH"]
    for number, subject in enumerate(hear, 1):
        client.send(f"SUB {subject} {number}\r\n".encode())
        errors, heard = client.settle()
        tell(f"subscribe {subject}", not any("Permissions Violation" in one for one in errors), errors)
    other = about["other"]
    say = {
        "$JS.API.STREAM.DELETE.COMMANDS": "", "$JS.API.STREAM.DELETE.EVENTS": "", "$JS.API.STREAM.PURGE.COMMANDS": "",
        "$JS.API.STREAM.PURGE.EVENTS": "", "$JS.API.STREAM.LIST": "", "$JS.API.STREAM.NAMES": "", "$JS.API.INFO": "",
        "$JS.API.STREAM.CREATE.X": '{"name":"X","subjects":["x"]}', "$JS.API.STREAM.INFO.COMMANDS": "",
        "$JS.API.STREAM.UPDATE.EVENTS": "{}", "$JS.API.STREAM.MSG.GET.COMMANDS": '{"seq":1}',
        "$JS.API.STREAM.MSG.DELETE.COMMANDS": '{"seq":1}', "$JS.API.DIRECT.GET.COMMANDS": '{"seq":1}',
        "$JS.API.CONSUMER.CREATE.COMMANDS.x": "{}", "$JS.API.CONSUMER.DURABLE.CREATE.COMMANDS.x": "{}",
        f"$JS.API.CONSUMER.DELETE.COMMANDS.{other}": "", f"$JS.API.CONSUMER.INFO.COMMANDS.{other}": "",
        f"$JS.API.CONSUMER.MSG.NEXT.COMMANDS.{other}": '{"batch":1}', "$JS.API.CONSUMER.MSG.NEXT.EVENTS.registry": '{"batch":1}',
        f"$JS.ACK.COMMANDS.{other}.1.1.1.1.1": "+ACK", "$JS.ACK.EVENTS.registry.1.1.1.1.1": "+ACK", "$JS.FC.x": "",
        f"events.{other}": "{}", f"heartbeats.{other}": "{}", f"commands.{other}": "{}", f"control.{other}": "{}",
        "events.launcher-local": "{}", "launchers.local.start": "{}", "launchers.local.stop": "{}",
        "$O.files.C.x": "x", "$O.files.M.x": "x", "$KV.x.y": "x", "$SYS.REQ.SERVER.PING": "", "$SYS.REQ.USER.AUTH": "x",
        "_INBOX_registry.x": "x", "x": "x",
    }  # fmt: skip
    for subject, text in say.items():
        client.send(f"PUB {subject} _INBOX_x.y {len(text)}\r\n{text}\r\n".encode())
        errors, heard = client.settle()
        tell(f"publish {subject}", not any("Permissions Violation" in one for one in errors), errors)
    time.sleep(2.0)
    _, heard = client.settle()
    tell("hear what others say", heard, heard)


def forge(about):
    """Tell the end of a calculation that another agent holds, under our own subject."""
    client = Nats(content(f"{DOORS}/token").decode())
    client.settle()
    mine = os.environ.get("QCRBOX_AGENT_ID", "") or about["agent"]
    for status in ("successful", "failed", "cancelled"):
        end = {
            "kind": "finished",
            "calculation_id": about["victim"],
            "attempt": 1,
            "status": status,
            "error_msg": "forged",
        }
        text = json.dumps(end)
        client.send(f"PUB events.{mine} {len(text)}\r\n{text}\r\n".encode())
    for kind in ("progress", "log", "step", "session"):
        event = {
            "kind": kind,
            "calculation_id": about["victim"],
            "attempt": 1,
            "text": "forged",
            "stream": "stdout",
            "offset": 0,
            "step": "uploading",
            "state": "finalising",
        }
        text = json.dumps(event)
        client.send(f"PUB events.{mine} {len(text)}\r\n{text}\r\n".encode())
    gone = json.dumps({"kind": "agent_gone", "agent": about["other"], "reason": "forged"})
    client.send(f"PUB events.{mine} {len(gone)}\r\n{gone}\r\n".encode())
    errors, _ = client.settle()
    tell("said under its own name", False, errors or "sent")
