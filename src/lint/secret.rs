//! What a secret looks like, by its name or by itself.

/// What the name of a secret ends with.
const SECRET_WORDS: [&str; 11] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PWD",
    "SECRET",
    "TOKEN",
    "CREDENTIAL",
    "CREDENTIALS",
    "APIKEY",
    "PAT",
    "HTPASSWD",
];

/// What makes a secret of a key, standing before `KEY`.
const SECRET_KEYS: [&str; 8] = [
    "API",
    "PRIVATE",
    "SECRET",
    "ACCESS",
    "SIGNING",
    "ENCRYPTION",
    "MASTER",
    "AUTH",
];

/// What tokens of well-known services begin with.
const BEGINNINGS: [&str; 10] = [
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk_live_",
    "rk_live_",
    "hvs.",
];

/// Whether a key is called like a secret. What only speaks of one (`TOKEN_TTL`, `SECRET_NAME`) is not.
pub(super) fn is_name(key: &str) -> bool {
    let words = words(key);
    let mut ends = words.iter().rev().map(String::as_str);
    match (ends.next(), ends.next()) {
        (Some("KEY" | "KEYS"), Some(before)) => SECRET_KEYS.contains(&before),
        (Some(last), _) => SECRET_WORDS.contains(&last) || SECRET_WORDS.contains(&singular(last)),
        (None, _) => false,
    }
}

fn singular(word: &str) -> &str {
    word.strip_suffix('S').unwrap_or(word)
}

/// The words of a key, in capitals: `dbPassword`, `db.password` and `DB_PASSWORD` have the same ones.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in key.chars() {
        let is_break = !character.is_ascii_alphanumeric();
        if is_break || (was_lower && character.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| !is_break) {
            word.push(character.to_ascii_uppercase());
        }
        was_lower = character.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a text looks like a secret: a private key, a token of a well-known service, a JSON web token, or an address
/// with a password.
pub(super) fn is_value(text: &str) -> bool {
    let text = text.trim();
    let is_one_word = !text.contains(char::is_whitespace);
    let is_private_key = text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----");
    let has_beginning = |start: &&str| text.starts_with(start) && text.len() >= start.len() + 16;
    let is_token = is_one_word && BEGINNINGS.iter().any(has_beginning);
    let is_amazon_key = text.len() == 20
        && text.starts_with("AKIA")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_web_token =
        is_one_word && text.starts_with("eyJ") && text.matches('.').count() == 2 && text.len() > 40;
    is_private_key || is_token || is_amazon_key || is_web_token || has_password(text)
}

/// Whether a text is an address with a name and a password in it.
fn has_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    let host = rest
        .split(['/', '?', '#', ' ', '\n'])
        .next()
        .unwrap_or(rest);
    let Some((user, _)) = host.rsplit_once('@') else {
        return false;
    };
    user.split_once(':')
        .is_some_and(|(_, password)| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for key in [
            "PASSWORD",
            "DB_PASSWORD",
            "dbPassword",
            "api-token",
            "client.secret",
            "API_KEY",
            "PRIVATE_KEYS",
            "TOKENS",
            "passwd",
        ] {
            assert!(is_name(key), "{key}");
        }
        for key in [
            "HOSTNAME",
            "TOKEN_TTL",
            "SECRET_NAME",
            "PASSWORD_FILE",
            "KEY",
            "SORT_KEY",
            "MONKEY",
            "PATH",
            "COMPASS",
            "",
            "_",
        ] {
            assert!(!is_name(key), "{key}");
        }
    }

    #[test]
    fn texts_of_secrets() {
        for text in [
            "-----BEGIN RSA PRIVATE KEY-----\nx",
            "ghp_0123456789abcdef0123",
            "AKIA0123456789ABCDEF",
            "postgres://app:pw@db.example.org/app",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3",
        ] {
            assert!(is_value(text), "{text}");
        }
        for text in [
            "",
            "www.example.org",
            "https://www.example.org:8080/a@b:c",
            "postgres://app@db/app",
            "-----BEGIN CERTIFICATE-----",
            "eyJ",
            "st.example.org",
        ] {
            assert!(!is_value(text), "{text}");
        }
    }
}
