//! End to end: every test starts the real `ml-app` binary in a folder of its own and looks at what a user would see.

mod bad_input;
mod chaos;
mod demo;
mod doctor;
mod evaluation;
mod extending;
mod groups;
mod harness;
mod inferred;
mod joined;
mod kill;
mod none_matches;
mod odd_lines;
mod on_mongodb;
mod on_servers;
mod output;
mod packages;
mod refusing_servers;
mod reproducible;
mod retention;
mod round;
mod scoring;
mod search;
mod tutorial;
