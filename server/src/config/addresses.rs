//! Addresses in the settings: checked where they stand, so that a bad one is named with its line.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::outbound::pages::host;

/// The address of a web page, without a fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PageUrl(Url);

impl PageUrl {
    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for PageUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refused = || {
            format!(
                "`{text}` is no address of a web page like https://www.example.org/terms (no password in it)"
            )
        };
        let mut url = Url::parse(&text).map_err(|_| refused())?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !web || !url.username().is_empty() || url.password().is_some() {
            return Err(refused());
        }
        url.set_fragment(None);
        Ok(Self(url))
    }
}

impl From<PageUrl> for String {
    fn from(url: PageUrl) -> Self {
        url.0.into()
    }
}

/// A host and its port: `wiki.lan:443`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort(String);

impl HostPort {
    /// The host and its port as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HostPort {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // Written as in the addresses of its pages, whatever the letters.
        let url = Url::parse(&format!("http://{text}/")).ok();
        let bare = |url: &Url| {
            !text.contains('*')
                && url.path() == "/"
                && url.username().is_empty()
                && url.query().is_none()
        };
        let named = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        url.filter(|url| named && bare(url))
            .and_then(|url| host(&url).map(Self))
            .ok_or_else(|| format!("`{text}` is no host with its port like wiki.lan:443"))
    }
}

impl From<HostPort> for String {
    fn from(host: HostPort) -> Self {
        host.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_written_as_in_addresses() {
        for (text, expect) in [
            ("wiki.lan:443", Some("wiki.lan:443")),
            ("Wiki.LAN:80", Some("wiki.lan:80")),
            ("127.1:4000", Some("127.0.0.1:4000")),
            ("[::1]:4000", Some("[::1]:4000")),
            ("wiki.lan", None),
            ("::1", None),
            ("http://wiki.lan:80", None),
            ("wiki.lan:80/x", None),
            ("a@wiki.lan:80", None),
            ("*:80", None),
            ("", None),
        ] {
            let found = HostPort::try_from(text.to_owned()).ok().map(String::from);
            assert_eq!(found.as_deref(), expect, "{text}");
        }
    }
}
