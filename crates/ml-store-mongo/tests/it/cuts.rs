//! Connections that break, through a proxy that breaks them.

use std::sync::Arc;

use ml_core::document::{ChangeFeed as _, DocumentStore as _, RecordQuery};
use ml_core::record::Collection::TextCorpus;
use ml_core::testkit::concurrently::concurrently;
use ml_store_mongo::{MongoDocuments, MongoOptions};
use mongodb::options::{ClientOptions, ServerAddress};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::fixture::{TestDatabase, records, server_url};

/// Hands bytes on to the server, until told to cut every connection.
struct Proxy {
    port: u16,
    cut: Arc<Notify>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    async fn start() -> Proxy {
        let options = ClientOptions::parse(server_url().unwrap()).await.unwrap();
        let ServerAddress::Tcp { host, port } = options.hosts[0].clone() else { panic!("no address of a host") };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (own_port, cut) = (listener.local_addr().unwrap().port(), Arc::new(Notify::new()));
        let (mut accepting, cutting) = (JoinSet::new(), cut.clone());
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = TcpStream::connect((host.clone(), port.unwrap_or(27017))).await.unwrap();
                let cut = cutting.clone();
                connections.spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        () = cut.notified() => {}
                    }
                });
            }
        });
        Proxy { port: own_port, cut, _accepting: accepting }
    }

    async fn connect(&self, database: &TestDatabase) -> MongoDocuments {
        let url = format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port);
        let options = MongoOptions { database: database.options.database.clone(), ..MongoOptions::new(url) };
        MongoDocuments::connect(&options).await.unwrap()
    }
}

#[tokio::test]
async fn writes_and_reads_outlive_their_connections() {
    let Some(database) = TestDatabase::new() else { return };
    database.migrated().await;
    let proxy = Proxy::start().await;
    let store = proxy.connect(&database).await;
    let n_batches = 20;
    let batches: Vec<_> = (0..n_batches).map(|n| records(&format!("b{n:02}"), 200)).collect();

    for batch in &batches {
        // Some cuts come before the batch is sent, some while the answer is awaited.
        let write = async {
            store.upsert(TextCorpus, batch).await.unwrap();
        };
        let cut = async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            proxy.cut.notify_waiters();
        };
        tokio::join!(write, cut);
    }

    assert_eq!(store.count(TextCorpus, &RecordQuery::default()).await.unwrap(), n_batches * 200);
    let mut n_changes = 0;
    let mut token = None;
    while n_changes < n_batches * 200 {
        proxy.cut.notify_waiters();
        let batch = store.changes(TextCorpus, token.as_ref(), 150).await.unwrap();
        assert!(!batch.changes.is_empty(), "only {n_changes} came");
        n_changes += batch.changes.len() as u64;
        token = batch.token;
    }
    assert_eq!(n_changes, n_batches * 200);
}

#[tokio::test]
async fn a_reader_of_the_stream_goes_on_where_it_was_cut_off() {
    let Some(database) = TestDatabase::new() else { return };
    database.migrated().await;
    let proxy = Proxy::start().await;
    let (reader, writer) = (proxy.connect(&database).await, database.connect().await);
    let mut token = reader.latest(TextCorpus).await.unwrap();
    for round in 0..5 {
        let new = records(&format!("r{round}"), 3);
        writer.upsert(TextCorpus, &new).await.unwrap();
        proxy.cut.notify_waiters();
        let batch = reader.changes(TextCorpus, Some(&token), 100).await.unwrap();
        let ids: Vec<_> = batch.changes.iter().map(|change| change.id().clone()).collect();
        assert_eq!(ids, new.iter().map(|record| record.id.clone()).collect::<Vec<_>>(), "round {round}");
        token = batch.token.unwrap();
    }
    // Several readers of one connection, each with a cursor of its own.
    let readers = (0..4).map(|_| reader.changes(TextCorpus, None, 100));
    for batch in concurrently(readers).await {
        assert_eq!(batch.unwrap().changes.len(), 15);
    }
}
