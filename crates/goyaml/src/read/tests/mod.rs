mod dump;
mod errors;
mod hostile;
mod quick;
mod recorded;
mod references;
