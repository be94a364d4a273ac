"""Logs through logtail-python. Usage: python send.py <host> <source token> <count>

What is to be logged comes as one JSON object a line on standard input, so that it is said once for
every client.
"""

import json
import logging
import sys

from logtail import LogtailHandler

LEVELS = {"debug": 10, "info": 20, "warn": 30, "error": 40}
# The handler drops what does not fit its buffer of 1000 events.
PORTION = 500


def fail(number):
    try:
        raise ConnectionError("spojení odmítnuto")
    except ConnectionError as cause:
        raise TypeError(f"nelze přečíst {number}") from cause


def main():
    host, token, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    handler = LogtailHandler(source_token=token, host=host)
    logger = logging.getLogger("cordwood.clients")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    for number, line in enumerate(sys.stdin):
        event = json.loads(line)
        level, message, context = LEVELS[event["level"]], event["message"], event["context"]
        if number % 10 == 0:
            try:
                fail(number)
            except TypeError:
                logger.log(level, message, extra=context, exc_info=True)
        else:
            logger.log(level, message, extra=context)
        if number % PORTION == PORTION - 1:
            handler.flush()
    handler.flush()
    if handler.dropcount or number + 1 != count:
        sys.exit(f"logged {number + 1}, of which the client dropped {handler.dropcount}")


main()
