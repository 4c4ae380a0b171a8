//! stub
use super::application::Application;
use super::project::Project;
use jiff::Timestamp;
use std::fmt;
pub struct Denied {
    pub until: Timestamp,
}
pub struct WrongWindow;
impl fmt::Display for WrongWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("x")
    }
}
pub fn denial(_: &Project, _: &Application, _: Timestamp) -> Result<Option<Denied>, WrongWindow> {
    Ok(None)
}
