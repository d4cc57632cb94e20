//! Commits that are lost on the way to PostgreSQL, or whose answer is: the program cannot tell which, and nothing is written twice.

use super::churn::Churn;
use super::documents::{Sort, Version};
use super::points;
use super::process::Process;
use super::site::{Link, Site};
use super::verdict;
use crate::harness::mongo::TestDatabase;
use crate::harness::proxy::CommitFault;
use crate::harness::sql_side::SqlPlace;
use crate::harness::wait_until;

const N_DOCUMENTS: usize = 60;
const N_CHANGES: usize = 12;
const FOLLOW: &[&str] = &["sync", "--follow", "--batch-size", "5"];

const FAULTS: [CommitFault; 3] = [CommitFault::NeverArrives, CommitFault::AnswerIsLost, CommitFault::ArrivesLate];

/// A sync that follows goes on.
fn check_following(place: &SqlPlace, seed: u64) {
    let Some(database) = TestDatabase::new() else { return };
    let mut churn = Churn::begin(&database, seed, N_DOCUMENTS);
    let site = Site::new(&database, place);
    site.json(&["sync"]);
    let mut process = Process::start(&site, FOLLOW);
    verdict::wait_until_agreed(&site, &churn, &mut process, "before the first fault");
    let link = site.link(Link::Sql);
    for point in 0..points::COMMITS.count(place) {
        for fault in FAULTS {
            let context = format!("seed {seed}, point {point}: {fault:?}");
            link.arm_commit(point as u32 % 3, fault);
            churn.take(N_CHANGES);
            wait_until(&format!("the fault strikes ({context})"), || {
                process.assert_at_work(&context);
                if link.has_struck() {
                    return Ok(());
                }
                // There may be fewer commits than are to pass.
                churn.take(1);
                Err(process.said())
            });
            verdict::wait_until_agreed(&site, &churn, &mut process, &context);
        }
    }
    process.interrupt("after the last fault");
    verdict::check(&site, &churn, &format!("seed {seed}, after the last fault"));
}

/// A sync to the end comes there, and counts nothing twice.
fn check_to_the_end(place: &SqlPlace, seed: u64) {
    let Some(database) = TestDatabase::new() else { return };
    let churn = Churn::begin(&database, seed, N_DOCUMENTS);
    let is_read = |version: &Version| version.sort != Sort::Published;
    let n_to_read = churn.documents().filter(|(_, _, version)| is_read(version)).count();
    for fault in FAULTS {
        for n in 0..points::COMMITS.count(place) as u32 {
            let context = format!("seed {seed}: {fault:?} of commit {n}");
            let site = Site::new(&database, place);
            site.json(&["migrate"]);
            site.link(Link::Sql).arm_commit(n, fault);
            site.json(&["sync", "--batch-size", "5"]);
            assert!(site.link(Link::Sql).has_struck(), "{context}: there was no such commit");
            let n_read = site.sql.texts("SELECT sum(n_read) FROM sync_checkpoints");
            assert_eq!(n_read, [n_to_read.to_string()], "{context}");
            verdict::check(&site, &churn, &context);
        }
    }
}

#[test]
fn a_commit_in_doubt_is_written_once_while_a_sync_follows() {
    let Some(place) = SqlPlace::postgres() else { return };
    check_following(&place, 70);
}

#[test]
fn a_commit_in_doubt_is_written_once_by_a_sync_to_the_end() {
    let Some(place) = SqlPlace::postgres() else { return };
    check_to_the_end(&place, 71);
}
