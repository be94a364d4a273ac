//! Server-sent events (WHATWG HTML, section 9.2), read line by line.

use std::io::{self, BufRead, BufReader, Read};

/// The longest line: an answer whole, escaped, and its name.
const LINE_BYTES_MAX: u64 = 1 << 30;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: String,
    pub(crate) data: String,
    /// Where to go on from; also of what is only a sign of life.
    pub(crate) id: Option<String>,
}

/// The events of a stream, to its end.
#[derive(Debug)]
pub(crate) struct Events<R> {
    reader: BufReader<R>,
}

impl<R: Read> Events<R> {
    pub(crate) fn new(stream: R) -> Events<R> {
        Events {
            reader: BufReader::new(stream),
        }
    }

    /// One line without its end; `None` at the end of the stream.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take(LINE_BYTES_MAX);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.pop() != Some(b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8(line)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Some(line))
    }
}

impl<R: Read> Iterator for Events<R> {
    type Item = io::Result<Told>;

    fn next(&mut self) -> Option<io::Result<Told>> {
        let mut told = Told::default();
        loop {
            let line = match self.line() {
                Ok(Some(line)) => line,
                // What is not closed by an empty line was not sent whole.
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            if line.is_empty() {
                if told == Told::default() {
                    continue;
                }
                return Some(Ok(told));
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "event" => value.clone_into(&mut told.kind),
                "id" => told.id = Some(value.to_owned()),
                "data" => {
                    if !told.data.is_empty() {
                        told.data.push('\n');
                    }
                    told.data.push_str(value);
                }
                // A comment, the wait after a break, or what is not known yet.
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, data: &str, id: Option<&str>) -> Told {
        Told {
            kind: kind.to_owned(),
            data: data.to_owned(),
            id: id.map(str::to_owned),
        }
    }

    #[test]
    fn events_are_read_one_by_one() {
        let stream = "retry: 2000\nid: 7\nevent: hello\ndata: {}\n\n: still here\nid: 9\n\n\
                      event: log\ndata: {\"a\":[1,\ndata: 2]}\n\n: only a comment\n\nevent: log\ndata: cut";
        let events: Vec<_> = Events::new(stream.as_bytes())
            .map(|event| event.ok())
            .collect();
        let expected = [
            Some(told("hello", "{}", Some("7"))),
            Some(told("", "", Some("9"))),
            Some(told("log", "{\"a\":[1,\n2]}", None)),
            None,
        ];
        assert_eq!(events, expected);
    }

    #[test]
    fn a_stream_that_ends_between_events_ends() {
        assert_eq!(Events::new(&b""[..]).count(), 0);
        let mut events = Events::new(&b"event: log\n"[..]);
        assert!(
            events.next().is_none(),
            "an event that is not whole is none"
        );
    }
}
