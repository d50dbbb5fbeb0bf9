"""What is a running world in a test? The real application on a real port, with a client that speaks to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import stripe
from werkzeug.serving import WSGIRequestHandler, make_server

from claimbot.sandbox.app import create_app, world_of
from claimbot.sandbox.config import WorldConfig, from_mapping
from claimbot.sandbox.world import World

ACCOUNT = "17841400000000101"
PAGE_ACCOUNT = "17841400000000202"
PAGE_ID = "104400000000303"
TOKEN = "token-of-aurora"
PAGE_TOKEN = "token-of-borealis"
APP_SECRET = "the-app-secret"
KEY = "sk_test_aurora"
WEBHOOK_SECRET = "whsec_aurora"


def config_for(engine_url: str, **changes: Any) -> WorldConfig:
    return from_mapping(
        {
            "engine_url": engine_url,
            "meta_app_secret": APP_SECRET,
            "meta_verify_token": "the-verify-token",
            "accounts": [
                {"external_id": ACCOUNT, "username": "aurora.demo", "token": TOKEN},
                {
                    "external_id": PAGE_ACCOUNT,
                    "username": "borealis.demo",
                    "variant": "page",
                    "page_id": PAGE_ID,
                    "token": PAGE_TOKEN,
                },
            ],
            "stripe": [
                {
                    "secret_key": KEY,
                    "webhook_secret": WEBHOOK_SECRET,
                    "webhook_path": "/webhooks/stripe/aurora",
                }
            ],
            **changes,
        }
    )


@dataclass(frozen=True)
class Running:
    """A world and ways to speak to it."""

    url: str
    http: httpx.Client
    world: World

    @property
    def stripe(self) -> stripe.StripeClient:
        return stripe.StripeClient(KEY, base_addresses={"api": f"{self.url}/stripe"})

    def api(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"/api{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        return self.http.get(f"/api{path}").json()

    def write(self, handle: str, text: str = "LAUNCH", **more: Any) -> str:
        """The follower writes; the answer is their id on the platform."""
        self.api("/dm", follower=handle, text=text, **more)
        return str(next(one["igsid"] for one in self.get("/followers") if one["follower"] == handle))

    def send(
        self, recipient: dict[str, str], message: Any = None, token: str = TOKEN, **more: Any
    ) -> httpx.Response:
        body = {"recipient": recipient, "message": message or {"text": "Hello"}, **more}
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.post("/graph/v25.0/me/messages", json=body, headers=headers)

    def phone(self, handle: str) -> Any:
        return self.get(f"/followers/{handle}/messages")

    def fault(self, target: str, fault: str, **more: Any) -> None:
        self.api("/faults", target=target, fault=fault, **more)


class SilentHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@contextmanager
def running_world(config: WorldConfig, data_dir: Path | None = None) -> Iterator[Running]:
    app = create_app(config, data_dir)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=SilentHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        # Loopback only: reading the certificates of the machine takes longer than most tests.
        with httpx.Client(base_url=url, trust_env=False, timeout=10.0, verify=False) as client:
            yield Running(url, client, world_of(app))
    finally:
        world_of(app).close()
        server.shutdown()
        server.server_close()


def session_params(now_seconds: float, **changes: Any) -> Any:
    """A Checkout Session as the engine asks for it."""
    return {
        "mode": "payment",
        "success_url": "http://127.0.0.1/c/abc/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1/c/abc",
        "client_reference_id": "clm_1",
        "metadata": {"claim": "clm_1"},
        "payment_intent_data": {"metadata": {"claim": "clm_1"}},
        "expires_at": int(now_seconds) + 35 * 60,
        "line_items": [
            {
                "quantity": 2,
                "price_data": {
                    "currency": "eur",
                    "unit_amount": 4_500,
                    "product_data": {"name": "Aurora cap"},
                },
            }
        ],
        **changes,
    }
