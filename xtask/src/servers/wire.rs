//! One command in MongoDB's wire protocol, as much of a client as it takes to see whether a server is there.
//!
//! Source: the MongoDB wire protocol, message `OP_MSG`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};
use bson::Document;

const TIMEOUT: Duration = Duration::from_secs(5);
const OP_MSG: i32 = 2013;
/// Length, request, answered request and kind of message, each a 32-bit number.
const HEADER_BYTES: usize = 16;
/// The flags, and the mark of a section that is one document.
const PREFIX: [u8; 5] = [0; 5];
/// The largest message that a server sends.
const MAX_BYTES: usize = 48_000_000;

/// Runs `command`, which names its database as `$db`, on the server at `port`.
pub(super) fn run(port: u16, command: &Document) -> Result<Document> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(&message(command)?)?;
    read_message(&mut stream)
}

fn message(document: &Document) -> Result<Vec<u8>> {
    let document = document.to_vec()?;
    let length = i32::try_from(HEADER_BYTES + PREFIX.len() + document.len())?;
    let header = [length, 1, 0, OP_MSG].map(i32::to_le_bytes).concat();
    Ok([header.as_slice(), &PREFIX, &document].concat())
}

fn read_message(stream: &mut impl Read) -> Result<Document> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(i32::from_le_bytes(length))?;
    ensure!((HEADER_BYTES + PREFIX.len()..=MAX_BYTES).contains(&length), "a message of {length} bytes");
    let mut rest = vec![0; length - 4];
    stream.read_exact(&mut rest)?;
    Ok(Document::from_reader(&rest[HEADER_BYTES - 4 + PREFIX.len()..])?)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use bson::doc;

    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let document = doc! { "hello": 1, "$db": "admin", "members": [{ "_id": 0 }] };
        let bytes = message(&document).unwrap();
        assert_eq!(bytes[..16], [bytes.len() as u8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 221, 7, 0, 0]);
        assert_eq!(read_message(&mut bytes.as_slice()).unwrap(), document);
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        let short = 12i32.to_le_bytes();
        let long = i32::MAX.to_le_bytes();
        let negative = (-1i32).to_le_bytes();
        for bytes in [&[][..], &[1, 2], &short, &long, &negative, b"HTTP/1.1 400 Bad Request\r\n\r\n"] {
            assert!(read_message(&mut &*bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_command_is_answered_over_a_connection() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let asked = read_message(&mut stream).unwrap();
            stream.write_all(&message(&doc! { "ok": 1.0, "asked": asked }).unwrap()).unwrap();
        });
        let reply = run(port, &doc! { "ping": 1 }).unwrap();
        assert_eq!(reply, doc! { "ok": 1.0, "asked": { "ping": 1 } });
        server.join().unwrap();
        assert!(run(port, &doc! { "ping": 1 }).is_err(), "no one listens any more");
    }
}
