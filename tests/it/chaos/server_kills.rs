//! `kill -9` of a database server while a sync follows the documents: it waits, or is started anew, and nothing is lost.

use rand::Rng as _;
use xtask::servers::{Durability, Engine, Server};

use super::churn::Churn;
use super::points;
use super::process::Process;
use super::site::{Link, Site};
use super::verdict;
use crate::harness::mongo::TestDatabase;
use crate::harness::proxy::{Direction, Fault, Strike};
use crate::harness::samples::seeded;
use crate::harness::sql_side::SqlPlace;
use crate::harness::{skip, wait_until};

const N_DOCUMENTS: usize = 60;
/// How many things change around each kill.
const N_CHANGES: usize = 12;
const FOLLOW: &[&str] = &["sync", "--follow"];

/// Starts a server that keeps what it acknowledges; `None`, and a line that says why, where there is none.
fn durable(engine: Engine) -> Option<Server> {
    let server = Server::start(engine, Durability::Durable).expect("the server starts");
    if server.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "there is no {engine}: in CI nothing is skipped");
        skip(&format!("there is no {engine}"));
    }
    server
}

/// Kills `server`, which is at the other end of `link`, `n_kills` times.
fn check(server: &mut Server, site: &Site<'_>, churn: &mut Churn<'_>, link: Link, n_kills: usize, seed: u64) {
    let mut rng = seeded(seed);
    let proxy = site.link(link);
    site.json(&["sync"]);
    let mut process = Process::start(site, FOLLOW);
    site.clear_links();
    churn.take(N_CHANGES);
    verdict::wait_until_agreed(site, churn, &mut process, "before the first kill");
    let usual = [Direction::ToServer, Direction::ToProgram].map(|direction| (direction, proxy.n_bytes(direction)));

    for point in 0..n_kills {
        let (direction, n_bytes) = usual[rng.random_range(0..2)];
        let strike = Strike { direction, after_bytes: rng.random_range(0..n_bytes.max(1)), fault: Fault::Hold };
        let is_anew = rng.random_ratio(1, 4);
        let context = format!("seed {seed}, kill {point} at {strike:?}, process anew: {is_anew}");
        proxy.arm(strike);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| churn.take(N_CHANGES));
            wait_until("the byte passes, or all is written", || {
                let is_due = proxy.has_struck() || writer.is_finished();
                if is_due { Ok(()) } else { Err("neither".to_owned()) }
            });
            server.kill().expect("the server can be killed");
            proxy.clear();
            server.start_again().expect("the server starts again");
        });
        if is_anew {
            process.kill(&context);
            process = Process::start(site, FOLLOW);
        }
        verdict::wait_until_agreed(site, churn, &mut process, &context);
    }
    process.interrupt("after the last kill");
    verdict::check(site, churn, &format!("seed {seed}, after the last kill"));
}

fn check_documents_server(place: &SqlPlace, seed: u64) {
    let Some(mut server) = durable(Engine::MongoDb) else { return };
    let database = TestDatabase::on(server.url());
    let mut churn = Churn::begin(&database, seed, N_DOCUMENTS);
    let site = Site::new(&database, place);
    let n_kills = points::DOCUMENTS_SERVER_KILLS.count(place);
    check(&mut server, &site, &mut churn, Link::Documents, n_kills, seed);
}

fn check_sql_server(seed: u64) {
    let Some(database) = TestDatabase::new() else { return };
    let Some(mut server) = durable(Engine::Postgres) else { return };
    let place = SqlPlace::Postgres { url: server.url() };
    let mut churn = Churn::begin(&database, seed, N_DOCUMENTS);
    let site = Site::new(&database, &place);
    let n_kills = points::SQL_SERVER_KILLS.count(&place);
    check(&mut server, &site, &mut churn, Link::Sql, n_kills, seed);
}

#[test]
fn a_killed_document_server_is_waited_for_on_sqlite() {
    check_documents_server(&SqlPlace::Sqlite, 40);
}

#[test]
fn a_killed_document_server_is_waited_for_on_postgres() {
    let Some(place) = SqlPlace::postgres() else { return };
    check_documents_server(&place, 41);
}

#[test]
fn a_killed_sql_server_is_waited_for() {
    check_sql_server(42);
}
