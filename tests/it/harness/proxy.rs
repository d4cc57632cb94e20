//! A TCP proxy between the program and a server, which breaks a connection at a chosen byte.
//!
//! Bytes are counted over all connections since the fault was armed, so that a point lies within a message as often as not.

mod link;

use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use self::link::Links;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    ToServer,
    ToProgram,
}

/// What happens to the connection on which the byte passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Both ends see it closed.
    Cut,
    /// The program sees it closed, and the server does not until the proxy ends.
    Orphan,
    /// Nothing passes any more, either way, and neither end is told.
    Silence,
    /// What comes after the byte waits for so long.
    Delay(Duration),
    /// What comes after the byte waits until the proxy is cleared.
    Hold,
}

/// What happens to a commit on its way to PostgreSQL; the program sees its connection closed in each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// It is lost.
    NeverArrives,
    /// It arrives, and the answer is lost.
    AnswerIsLost,
    /// It arrives a moment after the program saw its connection closed.
    ArrivesLate,
}

/// When a fault strikes, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) direction: Direction,
    /// How many bytes pass before.
    pub(crate) after_bytes: u64,
    pub(crate) fault: Fault,
}

/// A proxy on a port of its own; all its connections end with it.
pub(crate) struct Proxy {
    port: u16,
    links: Arc<Links>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one in front of the server at `server_port`, which need not be there yet.
    pub(crate) fn start(server_port: u16) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("a socket has an address").port();
        let links = Arc::new(Links::new(server_port));
        let accepted = links.clone();
        let accepting = std::thread::spawn(move || {
            while let Ok((program, _)) = listener.accept() {
                if accepted.is_closing.load(Ordering::SeqCst) {
                    break;
                }
                accepted.clone().join(program);
            }
        });
        Proxy { port, links, accepting: Some(accepting) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Counts bytes anew, and has the fault strike once.
    pub(crate) fn arm(&self, strike: Strike) {
        self.links.arm(Some(strike));
    }

    /// Counts bytes anew, and has the fault strike the `n`-th commit, from 0, of a transaction that writes.
    pub(crate) fn arm_commit(&self, n: u32, fault: CommitFault) {
        self.links.arm_commit(n, fault);
    }

    /// Counts bytes anew, forgets a fault that has not struck, and lets go of what is held.
    pub(crate) fn clear(&self) {
        self.links.arm(None);
    }

    /// Tells whether the fault has struck since it was armed.
    pub(crate) fn has_struck(&self) -> bool {
        self.links.has_struck()
    }

    /// Returns how many bytes passed since the last [`Proxy::arm`] or [`Proxy::clear`].
    pub(crate) fn n_bytes(&self, direction: Direction) -> u64 {
        self.links.n_bytes(direction)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.links.is_closing.store(true, Ordering::SeqCst);
        self.links.arm(None);
        self.links.end_all();
        // The listener waits for someone to come.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).map(|stream| stream.shutdown(Shutdown::Both));
        if let Some(accepting) = self.accepting.take() {
            // It has nothing to tell.
            let _ = accepting.join();
        }
    }
}
