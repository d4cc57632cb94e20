//! The options of a PostgreSQL store: how they are read, what is wrong with them, and that they show no secret.

use super::*;

fn parse(yaml: &str) -> Result<PostgresOptions, serde_yaml_ng::Error> {
    serde_yaml_ng::from_str(yaml)
}

fn place_of(yaml: &str) -> String {
    let options = parse(yaml).unwrap();
    let place = options.place(&options.to_driver().unwrap());
    format!("{}@{}/{}", place.user, place.server, place.database)
}

#[test]
fn an_address_is_enough() {
    let options = parse("url: postgres://ann@db.example.com/ml").unwrap();
    assert_eq!(options, PostgresOptions::new("postgres://ann@db.example.com/ml"));
    assert_eq!(options.faults(), Vec::<String>::new());
}

#[test]
fn everything_can_be_set_without_an_address() {
    let yaml = "{host: h, port: 6432, user: u, password: p, database: d, schema: s, application_name: a, \
                tls: {mode: require}, connect_timeout_ms: 1, statement_timeout_ms: 2, lock_timeout_ms: 3, \
                transaction_timeout_ms: 4, pool_timeout_ms: 5, max_pool_size: 6, max_retries: 7}";
    assert_eq!(parse(yaml).unwrap().faults(), Vec::<String>::new());
    assert_eq!(place_of(yaml), "u@h:6432/d");
}

#[test]
fn what_is_set_goes_before_the_address() {
    let address = "url: 'postgres://ann:one@h1:1,h2:2/ml?sslmode=disable'";
    let check = |more: &str, expected: &str| assert_eq!(place_of(&format!("{{{address}{more}}}")), expected);
    check("", "ann@h1:1, h2:2/ml");
    check(", user: bob, database: other", "bob@h1:1, h2:2/other");

    let options = parse(&format!("{{{address}, password: two}}")).unwrap();
    let driver = options.to_driver().unwrap();
    assert_eq!((driver.get_password(), driver.get_ssl_mode()), (Some(&b"two"[..]), SslMode::Disable));
}

#[test]
fn unknown_fields_are_refused() {
    for yaml in ["{url: 'postgres://h', passwrod: x}", "{url: 'postgres://h', tls: {ca: x}}", "{tls: {mode: some}}"] {
        assert!(parse(yaml).is_err(), "{yaml}");
    }
}

#[test]
fn faults_are_listed_together() {
    let mut options = PostgresOptions::new("mysql://ann:hunter2@h");
    options.schema = "a b".to_owned();
    options.max_pool_size = 0;
    options.tls = Some(PostgresTls { ca_file: Some("/absent.pem".into()), ..PostgresTls::default() });
    let faults = options.faults();
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(!faults.concat().contains("hunter2"), "{faults:?}");
}

#[test]
fn each_fault_says_the_way_out() {
    let check = |yaml: &str, expected: &str| {
        let faults = parse(yaml).unwrap().faults();
        assert!(faults.len() == 1 && faults[0].contains(expected) && !faults[0].contains("hunter2"), "{faults:?}");
    };
    check("{user: ann}", "neither `url` nor `host` is set");
    check("{host: h}", "there is no user");
    check("{host: h, user: ann, url: 'postgres://h'}", "both `url` and `host` are set");
    check("{url: 'postgres://ann@h/ml?password=hunter2'}", "set `password` instead");
    check(
        "{url: 'postgres://ann:hunter2@h/ml?sslmode=verify-full'}",
        "is not one of PostgreSQL (invalid value for option `sslmode`)",
    );
    check("{url: 'postgres://ann@h', transaction_timeout_ms: 0}", "is waited for without end");
    check("{url: 'postgres://ann@h', schema: '1st'}", "`1st` is not the name of a schema");
}

#[test]
fn passwords_are_masked() {
    let mut options = PostgresOptions::new("postgres://ann:hunter2@h/ml");
    options.password = Some(Secret::new("hunter3"));
    for text in [format!("{options:?}"), serde_json::to_string(&options).unwrap()] {
        assert!(!text.contains("hunter"), "{text}");
    }
}
