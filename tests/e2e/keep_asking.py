#!/usr/bin/env python3
"""keep_asking.py ADDRESS REQUEST_FILE: asks over eight keep-alive connections until the server goes away.

Exit 1 when a request on a connection which had been answering got no whole answer with status 200: a server which stops
says "Connection: close" in its last answer. Connections refused, or reset before the first answer, are how it ends.
"""
import http.client
import sys
import threading
import urllib.parse

CONNECTIONS = 8


def ask(host, body, counts, lost):
    while True:
        connection = http.client.HTTPConnection(host, timeout=20)
        try:
            connection.connect()
        except OSError:
            return
        answered = 0
        while True:
            try:
                connection.request("POST", "/invocations", body, {"content-type": "application/json"})
                response = connection.getresponse()
                response.read()
            except (http.client.RemoteDisconnected, ConnectionError) as error:
                # A connection which was never accepted is a refused one; a request on a living one is lost.
                if answered > 0:
                    lost.append(repr(error))
                break
            except (http.client.HTTPException, OSError) as error:
                lost.append(repr(error))
                break
            answered += 1
            counts.append(1)
            if response.status != 200:
                lost.append(f"status {response.status}")
            if response.getheader("connection", "").lower() == "close":
                break


def main():
    host = urllib.parse.urlparse(sys.argv[1]).netloc
    body = open(sys.argv[2], "rb").read()
    counts, lost = [], []
    threads = [threading.Thread(target=ask, args=(host, body, counts, lost)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    print(f"{len(counts)} requests answered, {len(lost)} lost {lost[:5]}")
    return 1 if lost or not counts else 0


if __name__ == "__main__":
    sys.exit(main())
