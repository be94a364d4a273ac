"""A mail server that takes mail only after STARTTLS and a login, with a certificate made for this run.

Says where it listens and who vouches for it in the first line of its output, then each mail in a line of its own. Ends with its input.
"""

import email
import email.policy
import json
import logging
import ssl
import sys

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

EXPECTED = LoginPassword(b"alerts", b"hunter2-s3cr3t")


def tell(value):
    print(json.dumps(value), flush=True)


def authenticate(server, session, envelope, mechanism, login):
    return AuthResult(success=login == EXPECTED, handled=False)


class Mailbox:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        tell(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "is_encrypted": session.ssl is not None,
                "headers": {name.lower(): str(value) for name, value in message.items()},
                "defects": [str(defect) for defect in message.defects],
                "parts": parts,
            }
        )
        return "250 2.0.0 queued as 17"


class Server(Controller):
    def __init__(self, context):
        self.context = context
        super().__init__(Mailbox(), hostname="127.0.0.1", port=0)

    def factory(self):
        return SMTP(
            self.handler,
            tls_context=self.context,
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
        )

    def _trigger_server(self):
        # The port is known only now, and the base class would connect to port 0.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


# Who is refused is no error of the server, and tells so itself.
logging.disable(logging.CRITICAL)
authority = trustme.CA()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
authority.issue_cert("localhost").configure_cert(context)
controller = Server(context)
controller.start()
tell({"port": controller.port, "authority": authority.cert_pem.bytes().decode()})
sys.stdin.read()
controller.stop()
