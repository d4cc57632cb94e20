//! The connections of a proxy, and the bytes that pass on them.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{CommitFault, Direction, Fault, Strike};

const CHUNK_BYTES: usize = 16 * 1024;

/// What a transaction that writes begins with, and what it ends with, as the program sends it to PostgreSQL.
const BEGIN: &[u8] = b"READ COMMITTED READ WRITE\0";
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// How late a commit arrives that arrives late: long enough for the program to look where it was, and to try again.
const LATENESS: Duration = Duration::from_millis(400);

/// All connections of a proxy.
pub(super) struct Links {
    server_port: u16,
    pub(super) is_closing: AtomicBool,
    next_id: AtomicU64,
    plan: Mutex<Plan>,
    /// Told whenever the plan changes.
    changed: Condvar,
    open: Mutex<HashMap<u64, Arc<Link>>>,
}

/// What is to come, and what has passed.
#[derive(Default)]
struct Plan {
    strike: Option<Strike>,
    /// How many commits pass before, and what happens to the next.
    commit: Option<(u32, CommitFault)>,
    has_struck: bool,
    /// Raised with every arming, which lets go of what an earlier one holds.
    round: u64,
    to_server: u64,
    to_program: u64,
}

impl Plan {
    fn passed(&mut self, direction: Direction) -> &mut u64 {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToProgram => &mut self.to_program,
        }
    }
}

/// A connection: both its ends.
struct Link {
    program: TcpStream,
    server: TcpStream,
    is_silent: AtomicBool,
    /// Whether the server is not to be told of the end.
    is_orphaned: AtomicBool,
    /// Whether a transaction that writes was begun.
    is_writing: AtomicBool,
    /// Whether the program is not to see what comes next.
    is_answer_lost: AtomicBool,
}

impl Link {
    fn end(&self) {
        // An end that is closed already is as it should be.
        let _ = self.program.shutdown(Shutdown::Both);
        if !self.is_orphaned.load(Ordering::SeqCst) {
            let _ = self.server.shutdown(Shutdown::Both);
        }
    }

    fn ends(&self, direction: Direction) -> (&TcpStream, &TcpStream) {
        match direction {
            Direction::ToServer => (&self.program, &self.server),
            Direction::ToProgram => (&self.server, &self.program),
        }
    }
}

/// How a chunk passes.
enum Passage {
    Whole,
    /// The fault strikes after so many of its bytes.
    Struck {
        n_before: usize,
        fault: Fault,
        round: u64,
    },
}

impl Links {
    pub(super) fn new(server_port: u16) -> Links {
        Links {
            server_port,
            is_closing: AtomicBool::new(false),
            next_id: AtomicU64::new(0),
            plan: Mutex::default(),
            changed: Condvar::new(),
            open: Mutex::default(),
        }
    }

    /// Connects the program to the server; where there is none, the program's connection closes.
    pub(super) fn join(self: Arc<Links>, program: TcpStream) {
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server_port)) else { return };
        // Small messages are answered one by one.
        let _ = (program.set_nodelay(true), server.set_nodelay(true));
        let link = Arc::new(Link {
            program,
            server,
            is_silent: AtomicBool::new(false),
            is_orphaned: AtomicBool::new(false),
            is_writing: AtomicBool::new(false),
            is_answer_lost: AtomicBool::new(false),
        });
        let id = self.next_id.fetch_add(1, Ordering::SeqCst);
        self.open().insert(id, link.clone());
        for direction in [Direction::ToServer, Direction::ToProgram] {
            let (links, link) = (self.clone(), link.clone());
            std::thread::spawn(move || {
                links.pump(&link, direction);
                link.end();
                if !link.is_orphaned.load(Ordering::SeqCst) {
                    links.open().remove(&id);
                }
            });
        }
    }

    /// Hands bytes on until an end closes or a fault ends the connection.
    fn pump(&self, link: &Link, direction: Direction) {
        let mut buffer = vec![0; CHUNK_BYTES];
        let (mut from, mut to) = link.ends(direction);
        while let Ok(n_read @ 1..) = from.read(&mut buffer) {
            if link.is_silent.load(Ordering::SeqCst) {
                continue;
            }
            if direction == Direction::ToProgram && link.is_answer_lost.load(Ordering::SeqCst) {
                link.is_orphaned.store(false, Ordering::SeqCst);
                return;
            }
            let commit_fault = match direction {
                Direction::ToServer => self.commit_fault(link, &buffer[..n_read]),
                Direction::ToProgram => None,
            };
            match commit_fault {
                None => {}
                Some(CommitFault::NeverArrives) => return,
                Some(CommitFault::AnswerIsLost) => link.is_answer_lost.store(true, Ordering::SeqCst),
                Some(CommitFault::ArrivesLate) => {
                    link.is_orphaned.store(true, Ordering::SeqCst);
                    link.end();
                    drop(self.changed.wait_timeout_while(self.plan(), LATENESS, |_| true));
                    link.is_answer_lost.store(true, Ordering::SeqCst);
                    // Where the server is gone meanwhile, it is as if the commit never arrived.
                    let _ = to.write_all(&buffer[..n_read]);
                    return;
                }
            }
            let (before, after) = match self.passage(direction, n_read) {
                Passage::Whole => (&buffer[..n_read], None),
                Passage::Struck { n_before, fault, round } => {
                    (&buffer[..n_before], Some((&buffer[n_before..n_read], fault, round)))
                }
            };
            if to.write_all(before).is_err() {
                return;
            }
            let Some((rest, fault, round)) = after else { continue };
            match fault {
                Fault::Cut => return,
                Fault::Orphan => {
                    link.is_orphaned.store(true, Ordering::SeqCst);
                    return;
                }
                Fault::Silence => {
                    link.is_orphaned.store(true, Ordering::SeqCst);
                    link.is_silent.store(true, Ordering::SeqCst);
                    continue;
                }
                Fault::Delay(delay) => {
                    let is_current = |plan: &mut Plan| plan.round == round;
                    // It ends early when the proxy is cleared.
                    drop(self.changed.wait_timeout_while(self.plan(), delay, is_current));
                }
                Fault::Hold => {
                    let is_current = |plan: &mut Plan| plan.round == round;
                    drop(self.changed.wait_while(self.plan(), is_current));
                }
            }
            if to.write_all(rest).is_err() {
                return;
            }
        }
    }

    /// Tells what happens to the commit that is the end of a chunk, if it is one of a transaction that writes and its turn.
    fn commit_fault(&self, link: &Link, chunk: &[u8]) -> Option<CommitFault> {
        if chunk.windows(BEGIN.len()).any(|part| part == BEGIN) {
            link.is_writing.store(true, Ordering::SeqCst);
        }
        if !chunk.ends_with(COMMIT) || !link.is_writing.swap(false, Ordering::SeqCst) {
            return None;
        }
        let mut plan = self.plan();
        let (n_before, fault) = plan.commit?;
        plan.commit = n_before.checked_sub(1).map(|n_before| (n_before, fault));
        if plan.commit.is_some() {
            return None;
        }
        plan.has_struck = true;
        Some(fault)
    }

    /// Counts a chunk, and tells whether the fault strikes within.
    fn passage(&self, direction: Direction, n_bytes: usize) -> Passage {
        let mut plan = self.plan();
        let round = plan.round;
        let passed = plan.passed(direction);
        let before = *passed;
        *passed += n_bytes as u64;
        let after = *passed;
        let due = plan.strike.filter(|strike| strike.direction == direction && strike.after_bytes < after);
        let Some(strike) = due else { return Passage::Whole };
        plan.strike = None;
        plan.has_struck = true;
        let n_before = strike.after_bytes.saturating_sub(before) as usize;
        Passage::Struck { n_before, fault: strike.fault, round }
    }

    pub(super) fn arm(&self, strike: Option<Strike>) {
        let mut plan = self.plan();
        *plan = Plan { strike, round: plan.round + 1, ..Plan::default() };
        self.changed.notify_all();
    }

    pub(super) fn arm_commit(&self, n_before: u32, fault: CommitFault) {
        let mut plan = self.plan();
        *plan = Plan { commit: Some((n_before, fault)), round: plan.round + 1, ..Plan::default() };
        self.changed.notify_all();
    }

    pub(super) fn has_struck(&self) -> bool {
        self.plan().has_struck
    }

    pub(super) fn n_bytes(&self, direction: Direction) -> u64 {
        *self.plan().passed(direction)
    }

    /// Ends every connection, the orphaned ones too.
    pub(super) fn end_all(&self) {
        for link in self.open().values() {
            link.is_orphaned.store(false, Ordering::SeqCst);
            link.end();
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Link>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
