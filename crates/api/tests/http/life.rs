//! The life of connections and of the server: stopping finishes what is in flight.

use std::io::Write;
use std::net::TcpStream;

use crate::client::{connect, head, read};
use crate::server::Server;

#[test]
fn stopping_finishes_what_is_in_flight() {
    let mut server = Server::start();
    let body = b"{\"message\":\"slow\"}";
    let authorization = format!("Authorization: Bearer {}", server.source_token);
    let length = format!("Content-Length: {}", body.len());
    let mut stream = connect(server.address);
    write!(stream, "{}\r\n", head("POST /", &[&authorization, &length])).unwrap();
    stream.write_all(&body[..5]).unwrap();
    // An answer on another connection shows that the server has come to read this one's head.
    assert_eq!(server.send("GET /health", &[], b"").status, 200);

    server.stop();
    stream.write_all(&body[5..]).unwrap();
    assert_eq!(read(&mut stream).status, 202);
    server.wait();
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn idle_connections_do_not_keep_a_stopped_server() {
    let mut server = Server::start();
    let _idle = connect(server.address);
    assert_eq!(server.send("GET /health", &[], b"").status, 200);
    server.stop();
    server.wait();
}
