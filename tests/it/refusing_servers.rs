//! Servers that refuse: a command ends with one message that says the way out, and once that was gone it does what it should have.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mongodb::bson::doc;
use xtask::servers::{Durability, Engine, Server, on_path};

use crate::harness::mongo::TestDatabase;
use crate::harness::outcome::Outcome;
use crate::harness::postgres::TestSchema;
use crate::harness::proxy::Proxy;
use crate::harness::workspace::Workspace;
use crate::harness::{samples, skip};

const N_NOTES: usize = 60;

/// Notes in embedded documents, and SQL in a schema on PostgreSQL.
struct Site {
    schema: TestSchema,
    workspace: Workspace,
}

impl Site {
    fn new(schema: TestSchema) -> Site {
        let workspace = Workspace::new();
        workspace.write("config/database.yaml", schema.section());
        workspace.write("notes.jsonl", samples::notes(N_NOTES));
        let ingest = "ingest notes.jsonl --data-type text --source-app tests --id-field id";
        workspace.run(&ingest.split(' ').collect::<Vec<_>>()).succeeded();
        Site { schema, workspace }
    }

    /// A site whose SQL side is migrated.
    fn migrated() -> Option<Site> {
        let site = Site::new(TestSchema::new()?);
        site.workspace.run(&["migrate"]).succeeded();
        Some(site)
    }

    /// Has the program log in as somebody else, or find the server somewhere else.
    fn configure(&self, section: &str) {
        self.workspace.write("config/database.yaml", section);
    }

    /// Checks that `sync` ends with one message that says all of `needles`, and writes nothing.
    #[track_caller]
    fn check_refused(&self, needles: &[&str]) {
        let refused = self.workspace.run(&["sync"]).failed_saying(needles);
        check_said_once(&refused);
        assert_eq!(self.schema.count("global_ml_data"), 0, "{}", refused.shown());
    }

    /// Checks that `sync` now writes everything, once.
    #[track_caller]
    fn check_nothing_is_lost(&self) {
        self.workspace.run(&["sync"]).succeeded();
        for table in ["global_ml_data", "record_lineage"] {
            assert_eq!(self.schema.count(table), N_NOTES as i64, "{table}");
        }
        assert_eq!((self.schema.count("quarantine"), self.schema.count("superseded_rows")), (0, 0));
        let again = self.workspace.json(&["sync"]);
        assert_eq!(again["collections"]["text_corpus"]["read"], 0, "{again}");
    }
}

#[track_caller]
fn check_said_once(outcome: &Outcome) {
    let n_errors = outcome.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(n_errors, 1, "{}", outcome.shown());
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.shown());
}

#[test]
fn a_full_disk_of_the_server() {
    let Some(site) = Site::migrated() else { return };
    // As the server itself says it, in the middle of a batch and at its end.
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'could not extend file \"base/16384/16385\": No space left on device'
                USING ERRCODE = 'disk_full', HINT = 'Check free disk space.';
        END $$";
    site.schema.select(refuse);
    for table in ["global_ml_data", "record_lineage", "sync_checkpoints"] {
        let of_table = format!("CREATE TRIGGER refuse BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()");
        site.schema.select(&of_table);
        let server = format!("free some space where the server at 127.0.0.1:{}", site.schema.port());
        site.check_refused(&["no space left while committing a sync", &server]);
        site.schema.select(&format!("DROP TRIGGER refuse ON {table}"));
    }
    site.check_nothing_is_lost();
}

#[test]
fn a_user_who_may_only_read() {
    let Some(site) = Site::migrated() else { return };
    let schema = site.schema.name().to_owned();
    let user = format!("{schema}_reader");
    let role = format!(
        "CREATE ROLE {user} LOGIN PASSWORD 'hunter2'; GRANT USAGE ON SCHEMA {schema} TO {user}; \
         GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {user}"
    );
    site.schema.select(&role);
    site.configure(&site.schema.section_as(&user, "hunter2"));
    let grant = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \"{schema}\" TO \"{user}\"");
    site.check_refused(&[&grant]);
    let doctor = site.workspace.run(&["doctor"]).failed_saying(&["grant"]);
    check_said_once(&doctor);

    // The very statement that the message has.
    site.schema.select(&grant);
    site.check_nothing_is_lost();
    site.schema.select(&format!("DROP OWNED BY {user}; DROP ROLE {user}"));
}

#[test]
fn a_wrong_password() {
    let Some(site) = Site::migrated() else { return };
    let start = Instant::now();
    site.configure(&site.schema.section_as("postgres", "hunter2"));
    site.check_refused(&["refuses the user `postgres` or the password", "config/database.yaml"]);
    site.workspace.run(&["sync", "--follow"]).failed_saying(&["refuses the user"]);
    assert!(start.elapsed() < Duration::from_secs(60), "waiting does not help");
    site.configure(&site.schema.section());
    site.check_nothing_is_lost();
}

#[test]
fn a_newer_schema() {
    let Some(site) = Site::migrated() else { return };
    site.schema.select("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
    site.check_refused(&["was written by a newer release", "use that release"]);
    check_said_once(&site.workspace.run(&["migrate"]).failed_saying(&["newer release"]));
    check_said_once(&site.workspace.run(&["doctor"]).failed_saying(&["newer release"]));
    site.schema.select("DELETE FROM __diesel_schema_migrations WHERE version = '29991231000000'");
    site.check_nothing_is_lost();
}

#[test]
fn an_absent_server_is_asked_a_bounded_number_of_times() {
    let Some(site) = Site::migrated() else { return };
    // A proxy that is gone leaves a port on which nobody answers.
    let port = Proxy::start(site.schema.port()).port();
    site.configure(&site.schema.section_through(port, "max_retries: 3"));
    let server = format!("no postgresql server at 127.0.0.1:{port}");
    site.check_refused(&[&server, "start it, or mend the address"]);

    site.workspace.write("config/settings.yaml", "sync: { patience_seconds_while_following: 2 }\n");
    let follow = site.workspace.run(&["sync", "--follow"]).failed_saying(&[&server]);
    check_said_once(&follow);
    site.configure(&site.schema.section());
    site.check_nothing_is_lost();
}

/// Has the server answer these commands with an error, or answer them again.
fn fail(database: &TestDatabase, error_code: Option<i32>, commands: &[&str]) {
    let mode = if error_code.is_some() { "alwaysOn" } else { "off" };
    let data = doc! { "failCommands": commands, "errorCode": error_code.unwrap_or_default(), "appName": "ml-app" };
    database.run_as_administrator(doc! { "configureFailPoint": "failCommand", "mode": mode, "data": data });
}

#[test]
fn a_full_or_forbidding_mongodb_server() {
    // One of its own, for what is to fail is told to the whole server.
    let started = Server::start(Engine::MongoDb, Durability::Fast).expect("the server starts");
    let Some(server) = started else { return skip("there is no MongoDB") };
    let database = TestDatabase::on(server.url());
    let workspace = database.workspace();
    workspace.write("notes.jsonl", samples::notes(N_NOTES));
    workspace.run(&["migrate"]).succeeded();
    let ingest: Vec<&str> = "ingest notes.jsonl --data-type text --source-app tests --id-field id".split(' ').collect();
    let full = format!("the disk or the quota of the mongodb server at 127.0.0.1:{} is used up", server.port());
    let forbidden = "grant it the role `readWrite`";
    for (code, needles) in [(14031, ["no space left while writing records", full.as_str()]), (13, [forbidden; 2])] {
        fail(&database, Some(code), &["insert", "update"]);
        check_said_once(&workspace.run(&ingest).failed_saying(&needles));
        assert_eq!(database.count("text_corpus", doc! {}), 0);
    }
    fail(&database, None, &[]);
    assert_eq!(workspace.json(&ingest)["inserted"], N_NOTES);

    fail(&database, Some(13), &["find", "aggregate"]);
    check_said_once(&workspace.run(&["sync"]).failed_saying(&[forbidden]));
    fail(&database, None, &[]);
    let synced = workspace.json(&["sync"]);
    assert_eq!(synced["collections"]["text_corpus"]["written"], N_NOTES, "{synced}");
}

/// Has `openssl` make a certificate for 127.0.0.1 that nobody signed but itself; by itself it makes one of an authority. `None`, and
/// a line that says why, without it.
fn make_certificate(folder: &Path, name: &str, more: &[&str]) -> Option<()> {
    if on_path("openssl").is_none() {
        skip("there is no openssl");
        return None;
    }
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    command.args(["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]);
    command.args(more).arg("-keyout").arg(file("key")).arg("-out").arg(file("pem"));
    let output = command.output().expect("openssl starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

/// Gives the server its certificate, as its administrator would.
fn install_certificate(server: &Server, schema: &TestSchema) {
    let folder = server.folder().join("data");
    let owner = fs::metadata(&folder).expect("the folder of the server is there");
    for ending in ["key", "pem"] {
        let path = folder.join(format!("server.{ending}"));
        fs::copy(server.folder().join(format!("server.{ending}")), &path).expect("the file can be copied");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        chown(&path, Some(owner.uid()), Some(owner.gid())).expect("the file is ours");
    }
    for setting in ["ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'", "ssl = on"] {
        schema.select(&format!("ALTER SYSTEM SET {setting}"));
    }
    schema.select("SELECT pg_reload_conf()");
}

#[test]
fn a_certificate_of_ones_own() {
    let started = Server::start(Engine::Postgres, Durability::Fast).expect("the server starts");
    let Some(server) = started else { return skip("there is no PostgreSQL") };
    let site = Site::new(TestSchema::on(server.url()));
    let with = |tls: &str| site.configure(&site.schema.section_through(server.port(), &format!("tls: {{ {tls} }}")));
    let encrypt = |more: &[&str]| {
        make_certificate(server.folder(), "server", more)?;
        install_certificate(&server, &site.schema);
        fs::copy(server.folder().join("server.pem"), site.workspace.path("ca.pem")).expect("the file can be copied");
        make_certificate(&site.workspace.path("."), "stranger", more)
    };
    let Some(()) = encrypt(&[]) else { return };
    with("mode: verify_full, ca_file: ca.pem");
    let authority = ["shows the certificate of an authority", "CA:FALSE"];
    check_said_once(&site.workspace.run(&["migrate"]).failed_saying(&authority));

    let Some(()) = encrypt(&["-addext", "basicConstraints=critical,CA:FALSE"]) else { return };
    let untrusted = ["certificate that is not trusted", "see `tls`"];
    for tls in ["mode: verify_full", "mode: verify_full, ca_file: stranger.pem"] {
        with(tls);
        check_said_once(&site.workspace.run(&["migrate"]).failed_saying(&untrusted));
    }
    with("mode: verify_full, ca_file: no-such.pem");
    site.workspace.run(&["migrate"]).failed_saying(&["no-such.pem", "cannot be read"]);

    for tls in ["mode: require", "mode: prefer", "mode: verify_full, ca_file: ca.pem"] {
        with(tls);
        site.workspace.run(&["migrate"]).succeeded();
        site.workspace.run(&["doctor"]).succeeded().says(&["the connection is encrypted"]);
    }
    site.check_nothing_is_lost();
}
