//! `kill -9` of a sync, again and again, while other programs change the documents.

use std::time::{Duration, Instant};

use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use super::churn::Churn;
use super::points;
use super::process::Process;
use super::site::{Link, Site};
use super::verdict;
use crate::harness::mongo::TestDatabase;
use crate::harness::proxy::{Direction, Fault, Strike};
use crate::harness::samples::seeded;
use crate::harness::sql_side::SqlPlace;

/// How many documents are there when the first sync begins.
const N_DOCUMENTS: usize = 120;
/// How many things change while a process runs.
const N_CHANGES: usize = 12;
/// How often a process is killed over the same documents.
const KILLS_PER_SET: usize = 30;

/// What an uninterrupted sync takes.
struct Whole {
    time: Duration,
    traffic: Vec<(Link, Direction, u64)>,
}

fn check(place: &SqlPlace, first_seed: u64) {
    let n_points = points::SYNC_KILLS.count(place);
    let n_sets = n_points.div_ceil(KILLS_PER_SET);
    for set in 0..n_sets {
        let n_kills = KILLS_PER_SET.min(n_points - set * KILLS_PER_SET);
        check_set(place, first_seed + set as u64, n_kills);
    }
}

/// Kills `n_kills` processes over one set of documents.
fn check_set(place: &SqlPlace, seed: u64, n_kills: usize) {
    let Some(database) = TestDatabase::new() else { return };
    let mut churn = Churn::begin(&database, seed, N_DOCUMENTS);
    let site = Site::new(&database, place);
    let whole = measure(&site.beside());
    let mut rng = seeded(1_000 + seed);
    let (mut n_killed, mut n_runs) = (0, 0);
    while n_killed < n_kills {
        n_runs += 1;
        let args = args(&mut rng);
        let (strike, limit) = moment(&mut rng, &whole);
        let context = format!("{place:?}, seed {seed}, run {n_runs}: {args:?} killed at {strike:?} or after {limit:?}");
        site.clear_links();
        if let Some((link, strike)) = strike {
            site.link(link).arm(strike);
        }
        let has_struck = || strike.is_some_and(|(link, _)| site.link(link).has_struck());
        let process = Process::start(&site, &args);
        let was_killed = std::thread::scope(|scope| {
            scope.spawn(|| churn.take(N_CHANGES));
            process.killed_after(limit, has_struck, &context)
        });
        site.clear_links();
        n_killed += usize::from(was_killed);
    }
    site.json(&["sync"]);
    verdict::check(&site, &churn, &format!("{place:?}, seed {seed}, after {n_killed} kills in {n_runs} runs"));
}

fn measure(site: &Site<'_>) -> Whole {
    site.clear_links();
    let start = Instant::now();
    site.json(&["sync"]);
    Whole { time: start.elapsed(), traffic: site.traffic() }
}

/// Chooses how to sync: in small pieces or large ones, on and on or to the end.
fn args(rng: &mut ChaCha8Rng) -> [&'static str; 4] {
    let batch_size = *["5", "40", "2500"].choose(rng).expect("there are some");
    let mode = *["--follow", "--to=sql", "--reconcile"].choose(rng).expect("there are some");
    ["sync", mode, "--batch-size", batch_size]
}

/// Chooses when to kill: after some time, or at a byte of what goes to or comes from a server.
fn moment(rng: &mut ChaCha8Rng, whole: &Whole) -> (Option<(Link, Strike)>, Duration) {
    if rng.random() {
        return (None, whole.time.mul_f64(rng.random_range(0.0..1.0)));
    }
    let &(link, direction, n_bytes) = whole.traffic.choose(rng).expect("there is a link");
    let strike = Strike { direction, after_bytes: rng.random_range(0..n_bytes), fault: Fault::Hold };
    (Some((link, strike)), whole.time.mul_f64(1.5))
}

#[test]
fn a_killed_sync_ends_as_if_it_had_not_been_on_sqlite() {
    check(&SqlPlace::Sqlite, 0);
}

#[test]
fn a_killed_sync_ends_as_if_it_had_not_been_on_postgres() {
    let Some(place) = SqlPlace::postgres() else { return };
    check(&place, 100);
}
