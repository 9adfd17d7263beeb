//! Settings: built-in values, then `porchlight.toml`, then the environment, then the command line.

mod addresses;
mod mail;
mod sections;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine::settle::LONGEST_MS;
use serde::Deserialize;
use toml::{Table, Value};
use url::Url;

pub use addresses::{HostPort, PageUrl};
pub use sections::{
    Actions, Device, Imap, Knowledge, Limits, Mail, Models, Replies, Security, Server, Settings,
    Site, Stream,
};

/// The file that is read when no other is named.
pub const FILE: &str = "porchlight.toml";
const ENV: &str = "PORCHLIGHT__";

/// Settings that cannot be used: where they stand, what is wrong, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    place: String,
    problem: String,
}

impl ConfigError {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

/// Settings with the place each one came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// `section.key` to file, variable or option; what is missing is built in.
    pub origins: BTreeMap<String, String>,
}

/// Where settings are looked for.
pub struct Sources<'a> {
    /// A file that has to be there; else [`FILE`] if it is.
    pub file: Option<&'a Path>,
    /// Variables of the environment.
    pub env: &'a [(String, String)],
    /// `section.key` and value from the command line.
    pub options: &'a [(&'static str, String)],
    /// The user's home, for paths that begin with `~/`.
    pub home: Option<PathBuf>,
}

/// Reads all sources and checks the values.
///
/// # Errors
/// [`ConfigError`] with file and line, variable or option.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, ConfigError> {
    let mut merged = Table::new();
    let mut origins = BTreeMap::new();
    if let Some((name, table)) = file(sources.file)? {
        lay(&mut merged, &mut origins, table, &name);
    }
    for (name, value) in sources.env {
        let Some(path) = name.strip_prefix(ENV) else { continue };
        let keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let [section, key] = keys.as_slice() else {
            let problem =
                format!("a setting's variable reads {ENV}SECTION__KEY, as {ENV}SERVER__LISTEN");
            return Err(ConfigError::new(format!("environment variable {name}"), problem));
        };
        let place = format!("environment variable {name}");
        lay(&mut merged, &mut origins, single(section, key, value, &place)?, &place);
    }
    for (path, value) in sources.options {
        let (section, key) = path.split_once('.').unwrap_or((path, ""));
        let place = format!("option --{}", key.replace('_', "-"));
        lay(&mut merged, &mut origins, single(section, key, value, &place)?, &place);
    }
    let settings: Settings = merged
        .try_into()
        .map_err(|e: toml::de::Error| ConfigError::new("settings", e.message()))?;
    let settings = checked(settings, &origins, sources.home.as_deref())?;
    Ok(Loaded { settings, origins })
}

/// The settings file as a table, after a check that it holds nothing unknown.
fn file(path: Option<&Path>) -> Result<Option<(String, Table)>, ConfigError> {
    let name = path.unwrap_or(Path::new(FILE));
    let text = match std::fs::read_to_string(name) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.is_none() => {
            return Ok(None);
        }
        Err(error) => {
            return Err(ConfigError::new(
                name.display().to_string(),
                format!("cannot be read: {error}"),
            ));
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let refuse = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text[..at].bytes().filter(|b| *b == b'\n').count() + 1;
        ConfigError::new(format!("{}, line {line}", name.display()), error.message().to_owned())
    };
    toml::from_str::<Settings>(text).map_err(refuse)?;
    let table = toml::from_str(text).map_err(refuse)?;
    Ok(Some((name.display().to_string(), table)))
}

/// A table of one setting; text that is a TOML number, list or truth value is read as one where the setting is.
fn single(section: &str, key: &str, value: &str, place: &str) -> Result<Table, ConfigError> {
    let read = toml::from_str::<Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut t| t.remove("value"));
    let mut problem = String::new();
    for candidate in [Some(Value::String(value.to_owned())), read].into_iter().flatten() {
        let inner = Table::from_iter([(key.to_owned(), candidate)]);
        let table = Table::from_iter([(section.to_owned(), Value::Table(inner))]);
        match Settings::deserialize(Value::Table(table.clone())) {
            Ok(_) => return Ok(table),
            Err(error) => problem = error.message().to_owned(),
        }
    }
    Err(ConfigError::new(place, problem))
}

fn lay(merged: &mut Table, origins: &mut BTreeMap<String, String>, above: Table, place: &str) {
    for (section, values) in above {
        let Value::Table(values) = values else { continue };
        let below = merged.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(below) = below else { continue };
        for (key, value) in values {
            origins.insert(format!("{section}.{key}"), place.to_owned());
            below.insert(key, value);
        }
    }
}

fn checked(
    mut settings: Settings,
    origins: &BTreeMap<String, String>,
    home: Option<&Path>,
) -> Result<Settings, ConfigError> {
    let refuse = |key: &str, problem: String| {
        let place = origins.get(key).map_or("built-in settings", String::as_str);
        Err(ConfigError::new(format!("{place}: {key}"), problem))
    };
    let folders =
        [&mut settings.server.data_dir, &mut settings.knowledge.dir, &mut settings.models.dir];
    let secrets = [
        &mut settings.mail.password_file,
        &mut settings.imap.password_file,
        &mut settings.api.key_file,
    ];
    for path in folders.into_iter().chain(secrets.into_iter().flatten()) {
        if let Ok(rest) = path.strip_prefix("~") {
            let Some(home) = home else {
                return refuse(
                    "server.data_dir",
                    "`~` cannot be read, as HOME is not set; write whole paths".into(),
                );
            };
            *path = home.join(rest);
        }
    }
    if let Some(url) = &settings.server.public_url {
        settings.server.public_url = match origin(url) {
            Some(origin) => Some(origin),
            None => {
                return refuse(
                    "server.public_url",
                    format!("`{url}` is no address like https://chat.example.org"),
                );
            }
        };
    }
    for allowed in &settings.server.allowed_origins {
        if origin(allowed).as_ref() != Some(allowed) {
            let problem = format!(
                "`{allowed}` is no origin like https://www.example.org (no path, no closing slash)"
            );
            return refuse("server.allowed_origins", problem);
        }
    }
    if !(1..=600).contains(&settings.replies.timeout_s) {
        return refuse("replies.timeout_s", "give 1 to 600 seconds".into());
    }
    if i64::from(settings.replies.settle_ms) > LONGEST_MS {
        return refuse("replies.settle_ms", format!("give 0 to {LONGEST_MS} milliseconds"));
    }
    if !(2..=100).contains(&settings.knowledge.keep_versions) {
        return refuse("knowledge.keep_versions", "give 2 to 100 versions".into());
    }
    if settings.knowledge.stale_days == 0 {
        return refuse("knowledge.stale_days", "give 1 day or more".into());
    }
    if !(1..=8_760).contains(&settings.knowledge.refresh_hours) {
        return refuse("knowledge.refresh_hours", "give 1 to 8760 hours".into());
    }
    if let Some((key, problem)) = mail::problem(&settings.mail, &settings.imap) {
        return refuse(key, problem);
    }
    Ok(settings)
}

/// Scheme, host and port of an address that has nothing else.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let web = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none();
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    (web && bare).then(|| url.origin().ascii_serialization())
}

impl Loaded {
    /// The settings as TOML, each with the place it came from.
    pub fn describe(&self) -> String {
        let Ok(Value::Table(sections)) = Value::try_from(&self.settings) else {
            return String::new();
        };
        let mut out = String::new();
        for (section, values) in sections {
            out.push_str(&format!("[{section}]\n"));
            let Value::Table(values) = values else { continue };
            for (key, value) in values {
                let place = self
                    .origins
                    .get(&format!("{section}.{key}"))
                    .map_or("built in", String::as_str);
                out.push_str(&format!("{key} = {value}  # {place}\n"));
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        file: &str,
        env: &[(&str, &str)],
        options: &[(&'static str, &str)],
    ) -> Result<Loaded, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("porchlight.toml");
        std::fs::write(&path, file).unwrap();
        let env: Vec<(String, String)> =
            env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let options: Vec<(&'static str, String)> =
            options.iter().map(|(k, v)| (*k, (*v).into())).collect();
        let home = Some(PathBuf::from("/home/ada"));
        let sources = Sources { file: Some(&path), env: &env, options: &options, home };
        load(&sources).map_err(|e| e.to_string().replace(&path.display().to_string(), "FILE"))
    }

    #[test]
    fn later_sources_win() {
        let file =
            "[server]\nlisten = \"127.0.0.1:1\"\n[models]\ndrafter = \"qwen2.5-coder-0.5b\"\n";
        let env = [
            ("PORCHLIGHT__SERVER__LISTEN", "127.0.0.1:2"),
            ("PORCHLIGHT__REPLIES__TIMEOUT_S", "30"),
            ("PATH", "x"),
        ];
        let loaded = check(file, &env, &[("server.listen", "127.0.0.1:3")]).unwrap();
        let settings = &loaded.settings;
        assert_eq!(settings.server.listen.port(), 3);
        assert_eq!(
            (settings.models.drafter.as_str(), settings.replies.timeout_s),
            ("qwen2.5-coder-0.5b", 30)
        );
        assert_eq!(settings.server.data_dir, Path::new("/home/ada/.local/share/porchlight"));
        assert_eq!(loaded.origins["server.listen"], "option --listen");
        let list = [
            ("PORCHLIGHT__SERVER__ALLOWED_ORIGINS", "[\"https://www.example.org\"]"),
            ("PORCHLIGHT__SITE__NAME", "42"),
        ];
        let loaded = check("", &list, &[]).unwrap();
        assert_eq!(loaded.settings.server.allowed_origins, ["https://www.example.org"]);
        assert_eq!(loaded.settings.site.name, "42");
        assert!(
            loaded
                .describe()
                .contains("name = \"42\"  # environment variable PORCHLIGHT__SITE__NAME")
        );
    }

    #[test]
    fn bad_settings_say_where_they_stand() {
        for (file, env, expect) in [
            ("[server]\n\nlissten = \"x\"\n", None, "FILE, line 3: unknown field `lissten`"),
            ("[sever]\n", None, "FILE, line 1: unknown field `sever`"),
            ("[server]\nlisten = 7\n", None, "FILE, line 2: invalid type"),
            ("[server]\nlisten = \"localhost\"\n", None, "FILE, line 2: invalid socket address"),
            ("[server\n", None, "FILE, line 1: "),
            ("[replies]\nstream = \"all\"\n", None, "FILE, line 2: unknown variant `all`"),
            ("[replies]\ntimeout_s = 0\n", None, "replies.timeout_s: give 1 to 600"),
            ("[replies]\nsettle_ms = 3001\n", None, "replies.settle_ms: give 0 to 3000"),
            ("[knowledge]\nkeep_versions = 1\n", None, "knowledge.keep_versions: give 2 to 100"),
            ("[knowledge]\nstale_days = 0\n", None, "knowledge.stale_days: give 1 day"),
            ("[mail]\nserver = \"m.example.org\"\n", None, "mail.from: no address of yours is set"),
            (
                "[mail]\nserver = \"m.example.org\"\nfrom = \"Ada <a@b.c>\"\n",
                None,
                "mail.from: `Ada <a@b.c>` is no e-mail address",
            ),
            (
                "[mail]\nserver = \"m.example.org\"\nfrom = \"a@b.example\"\ntls = \"none\"\n",
                None,
                "mail.tls: `none` is for a mail server on this very machine",
            ),
            ("[mail]\ntls = \"ssl\"\n", None, "FILE, line 2: unknown variant `ssl`"),
            ("[imap]\nserver = \"m.example.org\"\n", None, "imap.user: nobody is set"),
            ("[imap]\nevery_s = 1\n", None, "imap.every_s: give 10 to 3600 seconds"),
            ("[knowledge]\nrefresh_hours = 0\n", None, "knowledge.refresh_hours: give 1 to 8760"),
            (
                "[knowledge]\nurls = [\"https://a.example\", \"b.example\"]\n",
                None,
                "FILE, line 2: `b.example` is no address of a web page",
            ),
            (
                "[knowledge]\nsitemaps = [\"https://a:b@c.example/\"]\n",
                None,
                "FILE, line 2: `https://a:b@c.example/` is no address of a web page",
            ),
            (
                "[knowledge]\nallow_private = [\"wiki.lan\"]\n",
                None,
                "FILE, line 2: `wiki.lan` is no host with its port",
            ),
            ("[replies]\ntimeout_s = -1\n", None, "FILE, line 2: invalid value"),
            (
                "[server]\npublic_url = \"chat.example.org\"\n",
                None,
                "server.public_url: `chat.example.org` is no address",
            ),
            (
                "[server]\nallowed_origins = [\"*\"]\n",
                None,
                "server.allowed_origins: `*` is no origin",
            ),
            ("[server]\nallowed_origins = [\"https://a.example/\"]\n", None, "is no origin"),
            (
                "",
                Some(("PORCHLIGHT__SERVER__PORT", "1")),
                "environment variable PORCHLIGHT__SERVER__PORT: unknown field `port`",
            ),
            ("", Some(("PORCHLIGHT__LISTEN", "1")), "reads PORCHLIGHT__SECTION__KEY"),
            (
                "",
                Some(("PORCHLIGHT__REPLIES__TIMEOUT_S", "soon")),
                "PORCHLIGHT__REPLIES__TIMEOUT_S: invalid type",
            ),
        ] {
            let env: Vec<(&str, &str)> = env.into_iter().collect();
            let error = check(file, &env, &[]).unwrap_err();
            assert!(error.contains(expect), "{error} / {expect}");
        }
    }
}
