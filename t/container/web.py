"""A web server that takes little memory and answers 200 to whatever comes.

Like many servers it becomes another user once it listens, if it was started as root and may.
"""
import os
import socket
from pathlib import Path

WWW_DATA = 33

Path("/proc/self/comm").write_text("web")  # the short name, as of a server that is no script
listener = socket.create_server(("127.0.0.1", 8080))
try:
    os.setgroups([])
    os.setgid(WWW_DATA)
    os.setuid(WWW_DATA)
except OSError:
    pass
while True:
    connection = listener.accept()[0]
    try:
        connection.settimeout(2)
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    except OSError:
        pass
    finally:
        connection.close()
