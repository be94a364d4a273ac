//! Bodies as they come over the wire: chunked, compressed, cut off, too large, with a preflight.

use std::io::Write;
use std::net::Shutdown;

use crate::client::{connect, head, read};
use crate::server::Server;

const BODY_BYTES_MAX: usize = 20 << 20;

fn chunked(server: &Server, chunks: &[Vec<u8>], is_finished: bool) -> crate::client::Answer {
    let authorization = format!("Authorization: Bearer {}", server.source_token);
    let headers = [&*authorization, "Transfer-Encoding: chunked"];
    let mut stream = connect(server.address);
    write!(stream, "{}\r\n", head("POST /", &headers)).unwrap();
    for chunk in chunks {
        let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
        // The server may have answered already.
        if stream.write_all(&framed).is_err() {
            break;
        }
    }
    if is_finished {
        let _ = stream.write_all(b"0\r\n\r\n");
    } else {
        stream.shutdown(Shutdown::Write).unwrap();
    }
    read(&mut stream)
}

#[test]
fn a_chunked_body_is_read_whole() {
    let server = Server::start();
    let chunks = [b"{\"message\":".to_vec(), b"\"in two\"}".to_vec()];
    let answer = chunked(&server, &chunks, true);
    assert_eq!((answer.status, &*answer.body), (202, ""));
}

#[test]
fn the_wire_limit_is_20_mib_however_the_body_comes() {
    let server = Server::start();
    let blanks = vec![b' '; BODY_BYTES_MAX];
    let largest = server.ingest(&[], &blanks);
    assert_ne!(largest.status, 413, "{largest:?}");

    let too_large = vec![b' '; BODY_BYTES_MAX + 1];
    let answers = [
        server.ingest(&[], &too_large),
        chunked(&server, &vec![vec![b' '; 1 << 20]; 21], true),
    ];
    for answer in answers {
        assert_eq!(
            (answer.status, &*answer.body),
            (413, "payload reached size limit")
        );
    }
}

#[test]
fn a_body_that_breaks_off_is_not_stored() {
    let server = Server::start();
    let authorization = format!("Authorization: Bearer {}", server.source_token);
    let mut stream = connect(server.address);
    let head = head("POST /", &[&authorization, "Content-Length: 100"]);
    write!(stream, "{head}\r\n{{\"message\":\"half\"}}\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    drop(stream);
    chunked(&server, &[b"{\"message\":\"half\"}\n".to_vec()], false);
    let source = server.rest("GET /api/v1/sources/default", "").json();
    assert_eq!(source["data"]["attributes"]["records_count"], 0);
}

#[test]
fn a_sender_of_a_large_refused_body_reads_the_refusal() {
    let server = Server::start();
    let body = vec![b' '; 8 << 20];
    let answer = server.send("POST /", &["Authorization: Bearer wrong"], &body);
    assert_eq!((answer.status, &*answer.body), (403, "Unauthorized"));
}

#[test]
fn bodies_may_be_compressed() {
    let server = Server::start();
    let json = b"[{\"message\":\"a\"},{\"message\":\"b\"}]";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(json).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(json).unwrap();
    let bodies = [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
    ];
    for (encoding, body) in bodies {
        let encoding = format!("Content-Encoding: {encoding}");
        let answer = server.ingest(&[&encoding], &body);
        assert_eq!((answer.status, &*answer.body), (202, ""), "{encoding}");
    }
    let source = server.rest("GET /api/v1/sources/default", "").json();
    assert_eq!(source["data"]["attributes"]["records_count"], 4);
}

#[test]
fn browsers_may_send_from_anywhere() {
    let server = Server::start();
    let preflight = [
        "Origin: https://shop.example",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization,content-type,content-encoding,x-batch-key",
    ];
    let answer = server.send("OPTIONS /", &preflight, b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let allowed = answer
        .header("access-control-allow-headers")
        .unwrap()
        .to_lowercase();
    for header in [
        "authorization",
        "content-type",
        "content-encoding",
        "x-batch-key",
    ] {
        assert!(allowed.contains(header), "{allowed}");
    }
    let methods = answer.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("POST"), "{methods}");

    // A page may read a refusal too.
    let refused = server.send("POST /", &["Origin: https://shop.example"], b"{}");
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    // The REST API is for no page but our own.
    let rest = server.send(
        "GET /api/v1/sources",
        &["Origin: https://shop.example"],
        b"",
    );
    assert_eq!(rest.header("access-control-allow-origin"), None);
}
