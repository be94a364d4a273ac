//! Sending over real sockets: what arrives, what answers mean, and where nothing is sent to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cordwood_notify::{Attempt, Channel, ChannelKind, Outbound, Transport, Verdict};
use serde_json::{Value, json};

use crate::notices::{channel, links, opened, sending};

/// Answers one request with `answer`; gives what came.
fn receive_once(answer: &str) -> (String, JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = answer.to_owned();
    let receiver = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        (head, body)
    });
    (url, receiver)
}

fn local() -> Transport {
    Transport::new(Outbound::parse(&["127.0.0.1".to_owned()]).unwrap())
}

fn send(transport: &Transport, channel: &Channel) -> Attempt {
    transport.send(
        &channel.request(&opened(), &links(), &sending()),
        &sending(),
    )
}

fn slack(url: &str) -> Channel {
    channel(
        ChannelKind::Slack,
        json!({}),
        json!({"url": format!("{url}/services/s3cr3t")}),
    )
}

#[test]
fn requests_arrive_whole() {
    let (url, receiver) =
        receive_once("HTTP/1.1 202 Accepted\r\ncontent-length: 8\r\n\r\naccepted");
    let settings = json!({"url": format!("{url}/hook?a=b"), "headers": {"X-Team": "payments"}});
    let secrets = json!({"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
    let attempt = send(&local(), &channel(ChannelKind::Webhook, settings, secrets));
    assert_eq!(
        (attempt.status, attempt.response.as_str()),
        (Some(202), "accepted")
    );
    assert_eq!(attempt.verdict, Verdict::Delivered);
    let (head, body) = receiver.join().unwrap();
    assert!(head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{head}");
    let expected = [
        "content-type: application/json",
        "x-team: payments",
        "idempotency-key: msg-5e1d",
        "webhook-id: msg-5e1d",
        "webhook-timestamp: 1774606532",
        "webhook-signature: v1,",
    ];
    for line in expected {
        assert!(head.to_ascii_lowercase().contains(line), "{line} in {head}");
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["data"]["title"], "error rate of checkout-api");
}

#[test]
fn answers_are_judged_and_kept_without_secrets() {
    let cases = [
        (
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n",
            Some(429),
            "",
            Verdict::Retry {
                after: Some(Duration::from_secs(17)),
            },
        ),
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 27\r\n\r\nno hook /services/s3cr3t...",
            Some(404),
            "no hook …...",
            Verdict::Refused,
        ),
        // Where it leads, nobody checked.
        (
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
            Some(302),
            "",
            Verdict::Refused,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbroken off",
            Some(200),
            "broken off",
            Verdict::Delivered,
        ),
    ];
    for (answer, status, response, verdict) in cases {
        let (url, receiver) = receive_once(answer);
        let mut attempt = send(&local(), &slack(&url));
        // The whole URL is the secret.
        attempt.response = attempt.response.replace("/services/s3cr3t", "…");
        assert_eq!(
            (attempt.status, attempt.response.as_str()),
            (status, response),
            "{answer}"
        );
        assert_eq!(attempt.verdict, verdict, "{answer}");
        receiver.join().unwrap();
    }
}

#[test]
fn nobody_there_may_pass() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let attempt = send(&local(), &slack(&format!("http://{address}")));
    assert_eq!(
        attempt.verdict,
        Verdict::Retry { after: None },
        "{attempt:?}"
    );
    assert!(
        attempt.status.is_none() && !attempt.response.contains("s3cr3t"),
        "{attempt:?}"
    );
    let mail = mail(&address.port().into());
    let attempt = send(&local(), &mail);
    assert_eq!(
        attempt.verdict,
        Verdict::Retry { after: None },
        "{attempt:?}"
    );
}

fn mail(port: &Value) -> Channel {
    let settings = json!({"host": "127.0.0.1", "port": port, "security": "none", "from": "a@example.com", "to": "b@example.com"});
    channel(ChannelKind::Email, settings, json!({}))
}

/// Somebody listens, and nobody is connected to.
#[test]
fn the_network_of_the_server_is_not_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let closed = Transport::new(Outbound::default());
    let hosts = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"];
    for host in hosts {
        let attempt = send(&closed, &slack(&format!("http://{host}:{port}")));
        assert_eq!(attempt.verdict, Verdict::Refused, "{host}: {attempt:?}");
        assert!(
            attempt.response.contains("[outbound] allow"),
            "{host}: {attempt:?}"
        );
    }
    let attempt = send(&closed, &mail(&port.into()));
    assert_eq!(attempt.verdict, Verdict::Refused, "{attempt:?}");
    assert!(listener.accept().is_err());
}

/// A conversation of SMTP in clear: one recipient is refused, the other gets it.
#[test]
fn mail_comes_to_those_the_server_takes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut heard = Vec::new();
        stream.write_all(b"220 mail\r\n").unwrap();
        let mut is_data = false;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap() == 0 {
                return heard;
            }
            let line = line.trim_end().to_owned();
            let answer = match line.as_str() {
                "." => {
                    is_data = false;
                    "250 2.0.0 queued as 17\r\n"
                }
                _ if is_data => "",
                "DATA" => {
                    is_data = true;
                    "354 go on\r\n"
                }
                line if line.contains("gone@") => "550 5.1.1 no such user\r\n",
                _ => "250 ok\r\n",
            };
            heard.push(line);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let settings = json!({"host": "127.0.0.1", "port": port, "security": "none", "from": "Alerts <a@example.com>",
        "to": ["gone@example.com", "b@example.com"]});
    let attempt = send(&local(), &channel(ChannelKind::Email, settings, json!({})));
    assert_eq!(attempt.verdict, Verdict::Delivered, "{attempt:?}");
    assert_eq!(attempt.status, Some(250));
    assert!(
        attempt
            .response
            .starts_with("2.0.0 queued as 17; not for gone@example.com: "),
        "{attempt:?}"
    );
    let heard = server.join().unwrap();
    for line in [
        "EHLO example.com",
        "MAIL FROM:<a@example.com>",
        "RCPT TO:<b@example.com>",
        "From: Alerts <a@example.com>",
        "Subject: [CRITICAL] error rate of checkout-api (Acme & Sons)",
        "Message-ID: <msg-5e1d@example.com>",
        "References: <cordwood-0011aabb-incident-17@example.com>",
        "Auto-Submitted: auto-generated",
        "Importance: high",
        "Date: Fri, 27 Mar 2026 10:15:31 +0000",
    ] {
        assert!(
            heard.iter().any(|known| known == line),
            "{line} in {heard:#?}"
        );
    }
}

/// A server that takes the connection and says nothing is given up after ten seconds, and tried again later.
#[test]
fn a_silent_mail_server_may_speak_later() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let attempt = send(&local(), &mail(&port.into()));
    assert_eq!(attempt.verdict, Verdict::Retry { after: None });
    assert_eq!(
        (attempt.status, attempt.response.as_str()),
        (None, "no answer in time")
    );
}
