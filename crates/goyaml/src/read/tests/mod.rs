mod dump;
mod errors;
mod hostile;
mod recorded;
mod references;
