//! Where a command takes settings from.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::settings::{Settings, source};

/// The settings that are handed in.
#[derive(clap::Args, Default)]
pub(super) struct SettingsFlags {
    /// Read settings from a manifest (Secret or `ConfigMap`), a `.env` file or a directory; later ones win
    #[arg(short, long, value_name = "FILE")]
    settings: Vec<PathBuf>,
}

impl SettingsFlags {
    /// Reads them.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub(super) fn read(&self) -> Result<Settings, Failure> {
        source::read(self.settings.iter().map(PathBuf::as_path))
    }
}
