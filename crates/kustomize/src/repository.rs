//! Addresses of Git repositories, as kustomizations name them.

#[cfg(test)]
mod tests;

use std::time::Duration;

/// How long Git may take for each step where an address does not say (`?timeout=`).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(27);

/// The schemes that an address may begin with.
const SCHEMES: [&str; 4] = ["ssh://", "https://", "http://", "file://"];

/// A directory in a Git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The address as it was written.
    pub written: String,
    /// What `git fetch` takes.
    pub url: String,
    /// The branch, tag or commit; empty for the repository's own default.
    pub reference: String,
    /// The directory within the repository; empty for its top.
    pub directory: String,
    /// Whether its submodules are wanted.
    pub submodules: bool,
    /// How long Git may take for each step.
    pub timeout: Duration,
}

impl Repository {
    /// Reads an address; `None` where a text is none, and so names a file or directory.
    // kustomize: git.NewRepoSpecFromURL
    pub fn parse(written: &str) -> Option<Self> {
        if written.starts_with('/') {
            return None;
        }
        let (address, query) = written.split_once('?').unwrap_or((written, ""));
        let (host, path) = split_host(address)?;
        let (repository, directory) = split_path(&path, host == "file://")?;
        let directory = directory.strip_prefix('/').unwrap_or(&directory);
        if repository.is_empty() || leaves(directory) {
            return None;
        }
        let query = Query::read(query);
        Some(Self {
            written: written.to_owned(),
            url: format!("{host}{repository}"),
            reference: query.reference,
            directory: directory.to_owned(),
            submodules: query.submodules,
            timeout: query.timeout,
        })
    }

    /// Whether the address leads to a repository on this machine.
    pub fn is_local(&self) -> bool {
        self.url.starts_with("file://")
    }

    /// The reference, if it names one commit for ever: a whole SHA-1 or SHA-256.
    pub fn commit(&self) -> Option<&str> {
        let is_digest = matches!(self.reference.len(), 40 | 64)
            && self.reference.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then_some(self.reference.as_str())
    }
}

/// A text in which addresses name nobody: `user:password@` is taken out of them, `git@` stays.
pub fn without_credentials(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        result.push_str(before);
        result.push_str("://");
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || "'\"`<>".contains(c))
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => result.push_str(host),
            _ => result.push_str(authority),
        }
        rest = tail;
    }
    result.push_str(rest);
    result
}

/// Scheme, user and host of an address as one text, and what follows it.
// kustomize: git.extractHost
fn split_host(address: &str) -> Option<(String, String)> {
    let address = strip_prefix_of_any_case(address, "git::").unwrap_or(address);
    let found = SCHEMES
        .iter()
        .find_map(|scheme| strip_prefix_of_any_case(address, scheme).map(|rest| (*scheme, rest)));
    let (scheme, rest) = found.unwrap_or(("", address));
    if scheme == "file://" {
        return Some((scheme.to_owned(), rest.to_owned()));
    }
    let (user, rest) = split_user(rest);
    let is_github = ["github.com/", "github.com:"]
        .iter()
        .any(|host| strip_prefix_of_any_case(rest, host).is_some());
    // Without a scheme it is either GitHub or `user@host:path`, as scp has it.
    let is_scp = scheme.is_empty() && (!user.is_empty() || is_github);
    if scheme.is_empty() && !is_scp {
        return None;
    }
    let (host, path) = match find_separator(rest, is_scp) {
        Some(index) => rest.split_at(index.saturating_add(1)),
        None => (rest, ""),
    };
    if is_github {
        let host = if scheme == "ssh://" || !user.is_empty() {
            format!("{user}github.com:")
        } else {
            "https://github.com/".to_owned()
        };
        return Some((host, path.to_owned()));
    }
    (!host.is_empty()).then(|| (format!("{scheme}{user}{host}"), path.to_owned()))
}

fn strip_prefix_of_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| text.get(prefix.len()..))
        .flatten()
}

/// `user@` and what follows it.
fn split_user(text: &str) -> (&str, &str) {
    let Some(at) = text.find('@') else {
        return ("", text);
    };
    let (user, rest) = text.split_at(at.saturating_add(1));
    let name = user.trim_end_matches('@').as_bytes();
    let is_user = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    if is_user { (user, rest) } else { ("", text) }
}

/// Where the host ends: at the first slash, or at a colon before it where scp's way of writing is taken.
// kustomize: git.findPathSeparator
fn find_separator(text: &str, is_scp: bool) -> Option<usize> {
    let slash = text.find('/');
    if !is_scp {
        return slash;
    }
    let colon = text.find(':');
    match (slash, colon) {
        (None, colon) => colon,
        (Some(slash), Some(colon)) if colon > 0 && colon < slash => Some(colon),
        (slash, _) => slash,
    }
}

/// The repository's part of a path and the directory in it.
// kustomize: git.parsePathParts
fn split_path(path: &str, is_file: bool) -> Option<(String, String)> {
    const MARKER: &str = "_git/";
    if let Some(index) = path.find(MARKER) {
        let (start, rest) = path.split_at(index.saturating_add(MARKER.len()));
        let (name, directory) = rest.split_once('/').unwrap_or((rest, ""));
        return Some((format!("{start}{name}"), directory.to_owned()));
    }
    if let Some((repository, directory)) = path.split_once("//") {
        return Some((repository.to_owned(), directory.to_owned()));
    }
    if let Some(index) = path.find(".git") {
        let (repository, directory) = path.split_at(index.saturating_add(".git".len()));
        return Some((repository.to_owned(), directory.to_owned()));
    }
    if is_file {
        return Some((path.to_owned(), String::new()));
    }
    // By the custom of GitHub: an organisation and a repository.
    let (organisation, rest) = path.split_once('/')?;
    let (name, directory) = rest.split_once('/').unwrap_or((rest, ""));
    Some((format!("{organisation}/{name}"), directory.to_owned()))
}

/// Whether a relative path leads out of where it starts.
fn leaves(path: &str) -> bool {
    let mut depth: usize = 0;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return true,
            },
            _ => depth = depth.saturating_add(1),
        }
    }
    false
}

/// What an address asks for behind its `?`.
struct Query {
    reference: String,
    timeout: Duration,
    submodules: bool,
}

impl Query {
    // kustomize: git.parseQuery
    fn read(query: &str) -> Self {
        let defaults = Self {
            reference: String::new(),
            timeout: DEFAULT_TIMEOUT,
            submodules: true,
        };
        let Some(pairs) = pairs(query) else {
            return defaults;
        };
        let get = |name: &str| {
            pairs
                .iter()
                .find(|(key, _)| key == name)
                .map_or("", |(_, value)| value.as_str())
        };
        let reference = [get("ref"), get("version")]
            .into_iter()
            .find(|value| !value.is_empty());
        Self {
            reference: reference.unwrap_or_default().to_owned(),
            timeout: timeout(get("timeout")).unwrap_or(defaults.timeout),
            submodules: boolean(get("submodules")).unwrap_or(defaults.submodules),
        }
    }
}

/// The pairs of a query; `None` where any of it is malformed.
// Go: url.ParseQuery
fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains(';') {
            return None;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((unescape(key)?, unescape(value)?));
    }
    Some(pairs)
}

/// Decodes `%41` and `+`.
// Go: url.QueryUnescape
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                // `from_str_radix` takes a sign too.
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Seconds as a number, or a duration as Go writes one (`1m30s`).
fn timeout(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<i64>() {
        let seconds = u64::try_from(seconds).ok()?;
        return (seconds > 0).then(|| Duration::from_secs(seconds));
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .filter(|digits| *digits > 0)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        rest = tail;
    }
    Duration::try_from_secs_f64(total)
        .ok()
        .filter(|duration| !duration.is_zero())
}

// Go: strconv.ParseBool
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
