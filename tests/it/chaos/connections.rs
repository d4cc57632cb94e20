//! Connections that are cut within a message, slow, or silent, while a sync follows the documents.

use std::time::Duration;

use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use super::churn::Churn;
use super::points;
use super::process::Process;
use super::site::Site;
use super::verdict;
use crate::harness::mongo::TestDatabase;
use crate::harness::proxy::{Fault, Strike};
use crate::harness::samples::seeded;
use crate::harness::sql_side::SqlPlace;
use crate::harness::wait_until;

const N_DOCUMENTS: usize = 60;
const N_CHANGES: usize = 12;
const FOLLOW: &[&str] = &["sync", "--follow"];

fn check(place: &SqlPlace, seed: u64) {
    let Some(database) = TestDatabase::new() else { return };
    let mut churn = Churn::begin(&database, seed, N_DOCUMENTS);
    let site = Site::new(&database, place);
    let mut rng = seeded(seed);
    site.json(&["sync"]);
    let mut process = Process::start(&site, FOLLOW);
    site.clear_links();
    churn.take(N_CHANGES);
    verdict::wait_until_agreed(&site, &churn, &mut process, "before the first fault");
    let usual = site.traffic();

    for point in 0..points::CONNECTIONS.count(place) {
        let &(link, direction, n_bytes) = usual.choose(&mut rng).expect("there is a link");
        let strike = Strike { direction, after_bytes: rng.random_range(0..n_bytes.max(1)), fault: fault(&mut rng) };
        let is_anew = rng.random_ratio(1, 4);
        let context = format!("{place:?}, seed {seed}, point {point}: {link:?} {strike:?}, process anew: {is_anew}");
        if is_anew {
            process.interrupt(&context);
            site.link(link).arm(strike);
            process = Process::start(&site, FOLLOW);
        } else {
            site.link(link).arm(strike);
        }
        churn.take(N_CHANGES);
        wait_until(&format!("the fault strikes ({context})"), || {
            process.assert_at_work(&context);
            if site.link(link).has_struck() { Ok(()) } else { Err(process.said()) }
        });
        verdict::wait_until_agreed(&site, &churn, &mut process, &context);
    }
    process.interrupt("after the last fault");
    site.clear_links();
    verdict::check(&site, &churn, &format!("{place:?}, seed {seed}, after the last fault"));
}

fn fault(rng: &mut ChaCha8Rng) -> Fault {
    match rng.random_range(0..10) {
        0..4 => Fault::Cut,
        4..6 => Fault::Orphan,
        6 => Fault::Silence,
        _ => Fault::Delay(Duration::from_millis(rng.random_range(1..300))),
    }
}

#[test]
fn broken_connections_cost_nothing_on_sqlite() {
    check(&SqlPlace::Sqlite, 50);
}

#[test]
fn broken_connections_cost_nothing_on_postgres() {
    let Some(place) = SqlPlace::postgres() else { return };
    check(&place, 51);
}
