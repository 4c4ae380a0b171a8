//! Serves what renders have counted to Prometheus.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::StatusCode;
use tokio::runtime::Builder;

use super::metrics::Totals;
use crate::failure::Failure;
use crate::serve::{Signals, listen, serve as answer};

/// Serves the figures of a directory at `/metrics`, and `/healthz`, until the process is told to end.
///
/// # Errors
/// Where the address cannot be had.
pub fn serve(address: SocketAddr, directory: &Path) -> Result<(), Failure> {
    let cannot = |error: io::Error| Failure::internal(format!("cannot start a runtime: {error}"));
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(cannot)?;
    let directory = directory.to_owned();
    runtime.block_on(async {
        let end = Signals::listen().map_err(cannot)?;
        let listener = listen(address).await?;
        let texts = move |path: &str| match path {
            "/metrics" => (StatusCode::OK, figures(&directory)),
            "/healthz" => (StatusCode::OK, "ok\n".to_owned()),
            _ => (StatusCode::NOT_FOUND, "there is /metrics\n".to_owned()),
        };
        tokio::spawn(answer(listener, Arc::new(texts)));
        end.wait().await.map_err(cannot)
    })
}

fn figures(directory: &Path) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let totals = Totals::read(directory);
    format!(
        "# HELP argocd_infisical_build_info The version of the program, in a label.\n# TYPE argocd_infisical_build_info gauge\n\
         argocd_infisical_build_info{{version=\"{version}\"}} 1\n{totals}"
    )
}
