//! The controller against a real API server with Argo CD's types, and with Argo CD's own controllers.
//!
//! Each test has a world of its own: namespaces, a policy, rights, and one or several controllers. What they do is seen from
//! outside: through the API, by the server's audit log, and by the Events.

mod chance;
mod deploys;
mod digests;
mod endings;
mod everywhere;
mod faults;
mod faults_asleep;
mod faults_clock;
mod faults_objects;
mod faults_rights;
mod faults_server;
mod holds;
mod hostile;
mod live;
mod many;
mod objects;
mod observer;
mod operations;
mod owners;
mod pilot;
pub(crate) mod process;
mod replicas;
mod scale;
mod shown;
mod smoke;
mod soak;
mod sources;
mod storm;
mod storms;
mod theirs;
mod unknown;
mod unsteady;
mod upgrade;
mod which;
mod world;
