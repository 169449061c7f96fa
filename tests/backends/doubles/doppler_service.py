"""A double of Doppler's service: one project with its configs and tokens; it refuses what the service refuses.

Bodies are modelled on what Doppler's CLI accepts (stores.md 12), error texts on what its users report.
"""

from __future__ import annotations

import base64
import http.server
import json
import re
import threading
import time
import urllib.parse

from tests.backends.doubles.loopback import LoopbackService

PROJECT = "shop"
OTHER = "billing"

_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_REFERENCE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_CONFIG = "/v3/configs/config"


class Refusal(Exception):
    """An error answer: status and message."""


class DopplerService(LoopbackService):
    """The service on a loopback port. `requests` is the log of request lines; it holds no values.

    `configs` maps a config to its secrets, `others` those of another project, `tokens` a token to the one config it may
    see, or None for all of them. Switches: `latency` in seconds; `hangs` answers nothing; `throttled` is how many of
    the next requests are refused with `too_often` (no real body was seen), `refused` how many were; `failure` is the
    answer to everything, as (status, message) or as the bytes of a body; `keeps` decides what is kept of a value that
    is set; `closed` holds the configs that nobody may see.
    """

    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()
        self.reset()

    def reset(self):
        """Empties every config and puts every switch back."""
        self.configs = {"dev": {}, "staging": {}, "production": {}}
        self.others = {"prd": {}}
        self.tokens = {"dp.pt.everything": None, "dp.st.dev.text": "dev"}
        self.requests = []
        self.latency = 0.0
        self.throttled = self.refused = 0
        self.too_often = b'{"messages": ["API rate limit exceeded"], "success": false}'
        self.hangs = False
        self.failure = None
        self.closed = set()
        self.keeps = lambda value: value

    def handler(self):
        return _handler(self)

    def answer(self, method, target, token, body):
        """Status and body of the answer to one request."""
        with self._lock:
            self.requests.append(f"{method} {target}")
        if self.hangs:
            self.stopped.wait(60)
        time.sleep(self.latency)
        with self._lock:
            is_refused = self.throttled > 0
            self.throttled -= is_refused
            self.refused += is_refused
        if is_refused:
            return 429, self.too_often
        if isinstance(self.failure, bytes):
            return 200, self.failure
        try:
            if self.failure:
                raise Refusal(*self.failure)
            with self._lock:
                answer = self._route(method, target, token, body)
        except Refusal as refusal:
            status, message = refusal.args
            return status, json.dumps({"messages": [message], "success": False}).encode()
        return 200, json.dumps(answer).encode()

    def _route(self, method, target, token, body):
        path, _, query = target.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        if token not in self.tokens:
            raise Refusal(401, "Invalid Auth token")
        action = _ROUTES.get((method, path))
        if action is None:
            raise Refusal(404, "Not found")
        self._check_project(asked, token)
        if path == "/v3/configs":
            return self._list_configs(asked, token)
        return action(self, self._config(asked, token), body)

    def _check_project(self, asked, token):
        project = asked.get("project") or (PROJECT if self.tokens[token] else "")
        if not project:
            raise Refusal(400, "You must specify a project")
        if project not in (PROJECT, OTHER):
            raise Refusal(404, f"Could not find requested project '{project}'")

    def _config(self, asked, token):
        """The secrets of the config that is asked for, or of the one that the token belongs to."""
        own = self.tokens[token]
        name = asked.get("config") or own
        if not name:
            raise Refusal(400, "You must specify a config")
        if name in self.closed or (own and name != own):
            raise Refusal(403, f"This token does not have access to requested config '{name}'")
        configs = self.others if asked.get("project") == OTHER else self.configs
        if name not in configs:
            raise Refusal(404, f"Could not find requested config '{name}'")
        return _View(name, configs[name])

    def _list_configs(self, asked, token):
        if self.tokens[token]:
            raise Refusal(403, f"This token does not have access to requested project '{PROJECT}'")
        start = (int(asked["page"]) - 1) * int(asked["per_page"])
        names = list(self.configs)[start : start + int(asked["per_page"])]
        return {"configs": [{"name": name, "project": PROJECT} for name in names], "success": True}

    def _describe(self, config, _):
        return {"config": {"name": config.name, "project": PROJECT}, "success": True}

    def _download(self, config, _):
        return config.computed()

    def _describe_secrets(self, config, _):
        """All of them: the CLI itself picks those that it was asked for, and complains of those that are not there."""
        return {"secrets": {name: _entry(value) for name, value in config.computed().items()}, "success": True}

    def _names(self, config, _):
        return {"names": list(config.computed()), "success": True}

    def _change(self, config, body):
        for name, value in _changes(json.loads(body)):
            if not _NAME.fullmatch(name):
                raise Refusal(400, "Secret names may only contain uppercase letters, numbers, and underscores")
            if value is None:
                config.secrets.pop(name, None)
            else:
                config.secrets[name] = self.keeps(value)
        return {"secrets": {name: _entry(value) for name, value in config.secrets.items()}, "success": True}


class _View:
    """One config: its secrets, and those that Doppler puts into every config."""

    def __init__(self, name, secrets):
        self.name = name
        self.secrets = secrets
        self._own = {"DOPPLER_PROJECT": PROJECT, "DOPPLER_ENVIRONMENT": name, "DOPPLER_CONFIG": name}

    def computed(self):
        """All values, with every `${NAME}` of the config filled in."""
        everything = {**self.secrets, **self._own}
        return {
            name: _REFERENCE.sub(lambda match: everything.get(match[1], match[0]), value) if value else value
            for name, value in everything.items()
        }


_ROUTES = {
    ("GET", f"{_CONFIG}/secrets"): DopplerService._describe_secrets,
    ("GET", "/v3/configs"): DopplerService._list_configs,
    ("GET", _CONFIG): DopplerService._describe,
    ("GET", f"{_CONFIG}/secrets/download"): DopplerService._download,
    ("GET", f"{_CONFIG}/secrets/names"): DopplerService._names,
    ("POST", f"{_CONFIG}/secrets"): DopplerService._change,
}


def _changes(sent):
    yield from (sent.get("secrets") or {}).items()
    yield from ((change["name"], change["value"]) for change in sent.get("change_requests") or ())


def _entry(value):
    kind = {"type": "string"}
    return {
        "raw": value,
        "computed": value,
        "note": "",
        "rawVisibility": "masked",
        "computedVisibility": "masked",
        "rawValueType": kind,
        "computedValueType": kind,
    }


def _handler(service):
    class Handler(http.server.BaseHTTPRequestHandler):
        def _serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, sent = service.answer(self.command, self.path, _token(self.headers), body)
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)
            except ConnectionError:  # the client was ended while it waited
                self.close_connection = True

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *_):
            pass

    return Handler


def _token(headers):
    """The token of a request: as a bearer's, or as the user of HTTP Basic."""
    scheme, _, credential = headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        return base64.b64decode(credential).decode().partition(":")[0]
    return credential
