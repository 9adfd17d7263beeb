//! The owner's side of a played conversation: signs up once, then reads decisions over the console's REST.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How often a decision is looked for, and the time between.
const LOOKS: usize = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(40);

/// A signed-in owner.
pub(crate) struct Owner {
    server: String,
    cookie: String,
}

impl Owner {
    /// Signs up with the secret of the set-up link.
    pub(crate) async fn sign_up(server: &str, secret: &str) -> Result<Self> {
        let body = json!({
            "token": secret, "name": "Ada", "email": "ada@example.org", "password": "correct horse battery"
        });
        let (status, head, _) =
            request(server, "POST", "/console/api/setup", ("", &body.to_string())).await?;
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        match (status, cookie) {
            (204, Some(cookie)) => {
                let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
                Ok(Self { server: server.into(), cookie })
            }
            _ => bail!("the owner could not sign up: status {status}"),
        }
    }

    /// A conversation once it is decided about the message `seq`. Without such a decision in time there is none in it.
    pub(crate) async fn decided(&self, id: &str, seq: i64) -> Result<Value> {
        let path = format!("/console/api/conversations/{id}");
        let mut looks = 0;
        loop {
            let mut detail = get(&self.server, &path, &self.cookie).await?;
            if detail["decision"]["for_seq"].as_i64() == Some(seq) {
                return Ok(detail);
            }
            looks += 1;
            if looks == LOOKS {
                detail["decision"] = Value::Null;
                return Ok(detail);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }
}

impl Owner {
    /// Goes away until further notice, or comes back.
    pub(crate) async fn away(&self, away: bool) -> Result<()> {
        let until = if away { json!(0) } else { Value::Null };
        match self.command("/console/api/hours/away", &json!({ "until": until })).await? {
            (200, _) => Ok(()),
            (status, body) => bail!("the switch of the office hours answered {status}: {body}"),
        }
    }

    /// Puts a command of the console: status and body.
    pub(crate) async fn command(&self, path: &str, body: &Value) -> Result<(u16, String)> {
        let (status, _, answer) =
            request(&self.server, "POST", path, (&self.cookie, &body.to_string())).await?;
        Ok((status, answer))
    }
}

/// What `/healthz` tells of a running server.
pub(crate) async fn health(server: &str) -> Result<Value> {
    get(server, "/healthz", "").await
}

async fn get(server: &str, path: &str, cookie: &str) -> Result<Value> {
    let (status, _, body) = request(server, "GET", path, (cookie, "")).await?;
    if status != 200 {
        bail!("http://{server}{path} answered {status}");
    }
    serde_json::from_str(&body).with_context(|| format!("http://{server}{path} sent no JSON"))
}

/// One request on a connection of its own: status, head in lower case, body.
async fn request(
    server: &str,
    method: &str,
    path: &str,
    (cookie, body): (&str, &str),
) -> Result<(u16, String, String)> {
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nOrigin: http://{server}\r\nCookie: {cookie}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let stream = TcpStream::connect(server).await;
    let mut stream = stream.with_context(|| format!("nothing answers at {server}"))?;
    stream.write_all(text.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status =
        head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no HTTP status")?;
    Ok((status, head.to_lowercase(), body.to_owned()))
}
