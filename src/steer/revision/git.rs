//! What Git allows a ref to be called.

use super::Illegal;

/// Checks what stands behind `refs/heads/` or `refs/tags/`.
// Git: check_refname_format
pub(super) fn check(name: &str) -> Result<(), Illegal> {
    if name.chars().any(is_forbidden) {
        return Err(Illegal::Character);
    }
    if name.chars().any(is_unseen) {
        return Err(Illegal::Unseen);
    }
    if name.contains("@{") {
        return Err(Illegal::At);
    }
    if name.split('/').any(str::is_empty) {
        return Err(Illegal::Slash);
    }
    let begins = |part: &str| part.starts_with('.');
    if name.contains("..") || name.ends_with('.') || name.split('/').any(begins) {
        return Err(Illegal::Dot);
    }
    if name
        .split('/')
        .any(|part| part.strip_suffix(".lock").is_some())
    {
        return Err(Illegal::Lock);
    }
    Ok(())
}

fn is_forbidden(c: char) -> bool {
    c.is_ascii_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\')
}

/// What Git allows, and what could make a name look like another one, or steer a terminal.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}
