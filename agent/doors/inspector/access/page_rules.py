"""What every answer says to the browser, so that nothing on a page can do more than show."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""The content security policy: no inline script or style, nothing from elsewhere."""
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class PageRules:
    """Middleware that adds them; pages are never kept by a cache, the files of `static` are asked for again."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request under the rules."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        static = "/static/" in str(scope["path"])

        async def ruled(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                held = {name.lower() for name, _ in headers}
                more = {**_HEADERS, "cache-control": "no-cache" if static else "no-store"}
                headers += [
                    (name.encode(), value.encode())
                    for name, value in more.items()
                    if name.encode() not in held
                ]
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, ruled)
