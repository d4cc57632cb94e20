//! `kill -9` of a sync, again and again, while other programs change the documents.

use std::time::{Duration, Instant};

use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use super::churn::Churn;
use super::points::{self, Points};
use super::process::Process;
use super::site::{Link, Site};
use super::verdict;
use crate::harness::mongo::TestDatabase;
use crate::harness::proxy::{Direction, Fault, Strike};
use crate::harness::samples::seeded;
use crate::harness::sql_side::SqlKind;

/// How many documents are there when the first sync begins.
const N_DOCUMENTS: usize = 120;
/// How many things change while a process runs.
const N_CHANGES: usize = 12;
/// How often a process is killed over the same documents.
const KILLS_PER_SET: usize = 30;

/// What an uninterrupted sync takes.
struct Whole {
    time: Duration,
    to_server: u64,
    to_program: u64,
}

fn check(kind: SqlKind, points: Points) {
    let n_points = points.count();
    let n_sets = n_points.div_ceil(KILLS_PER_SET);
    for set in 0..n_sets {
        let n_kills = KILLS_PER_SET.min(n_points - set * KILLS_PER_SET);
        check_set(kind, set as u64, n_kills);
    }
}

/// Kills `n_kills` processes over one set of documents.
fn check_set(kind: SqlKind, seed: u64, n_kills: usize) {
    let Some(database) = TestDatabase::new() else { return };
    let mut churn = Churn::begin(&database, seed, N_DOCUMENTS);
    let site = Site::new(&database, kind);
    let whole = measure(&site.beside());
    let mut rng = seeded(1_000 + seed);
    let (mut n_killed, mut n_runs) = (0, 0);
    while n_killed < n_kills {
        n_runs += 1;
        let args = args(&mut rng);
        let (strike, limit) = moment(&mut rng, &whole);
        let context = format!("{kind:?}, seed {seed}, run {n_runs}: {args:?} killed at {strike:?} or after {limit:?}");
        match strike {
            Some(strike) => site.link(Link::Documents).arm(strike),
            None => site.link(Link::Documents).clear(),
        }
        let process = Process::start(&site, &args);
        let was_killed = std::thread::scope(|scope| {
            scope.spawn(|| churn.take(N_CHANGES));
            process.killed_after(limit, || site.link(Link::Documents).has_struck(), &context)
        });
        site.link(Link::Documents).clear();
        n_killed += usize::from(was_killed);
    }
    site.json(&["sync"]);
    verdict::check(&site, &churn, &format!("{kind:?}, seed {seed}, after {n_killed} kills in {n_runs} runs"));
}

fn measure(site: &Site<'_>) -> Whole {
    site.link(Link::Documents).clear();
    let start = Instant::now();
    site.json(&["sync"]);
    Whole {
        time: start.elapsed(),
        to_server: site.link(Link::Documents).n_bytes(Direction::ToServer),
        to_program: site.link(Link::Documents).n_bytes(Direction::ToProgram),
    }
}

/// Chooses how to sync: in small pieces or large ones, on and on or to the end.
fn args(rng: &mut ChaCha8Rng) -> [&'static str; 4] {
    let batch_size = *["5", "40", "2500"].choose(rng).expect("there are some");
    let mode = *["--follow", "--to=sql"].choose(rng).expect("there are some");
    ["sync", mode, "--batch-size", batch_size]
}

/// Chooses when to kill: after some time, or at a byte of what goes to or comes from MongoDB.
fn moment(rng: &mut ChaCha8Rng, whole: &Whole) -> (Option<Strike>, Duration) {
    let (direction, n_bytes) = match rng.random_range(0..4) {
        0 => (Direction::ToServer, whole.to_server),
        1 => (Direction::ToProgram, whole.to_program),
        _ => return (None, whole.time.mul_f64(rng.random_range(0.0..1.0))),
    };
    let after_bytes = rng.random_range(0..n_bytes);
    (Some(Strike { direction, after_bytes, fault: Fault::Hold }), whole.time.mul_f64(1.5))
}

#[test]
fn a_killed_sync_ends_as_if_it_had_not_been_on_sqlite() {
    check(SqlKind::Sqlite, points::SYNC_KILLS);
}
