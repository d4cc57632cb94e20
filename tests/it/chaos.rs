//! Both stores agree whatever breaks: the program or a server is killed, a connection is cut, at any moment and while other
//! programs change the documents.

mod both_ways;
mod churn;
mod commits;
mod connections;
mod documents;
mod points;
mod process;
mod server_kills;
mod site;
mod sync_kills;
mod verdict;
