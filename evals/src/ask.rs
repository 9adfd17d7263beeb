//! `ask`: puts questions to a running Porchlight over its own WebSocket, one after the other, and times what a visitor sees.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use engine::metrics::percentile;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::data::{self, DemoCase};

/// Longest wait for one frame.
const PATIENCE: Duration = Duration::from_secs(60);

/// Options of `ask`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Address of the server, `127.0.0.1:7878`.
    #[arg(long, default_value = "127.0.0.1:7878")]
    server: String,
    /// JSON lines with `qid` and `text`.
    #[arg(long, default_value = "evals/cases/demo/answerable.jsonl")]
    cases: PathBuf,
    /// How many of them.
    #[arg(long, default_value_t = 10)]
    count: usize,
    /// Process whose resident memory is reported.
    #[arg(long)]
    pid: Option<u32>,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Milliseconds from sending until each thing was seen.
struct Times {
    ack: f64,
    first: f64,
    complete: f64,
    from: String,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let cases: Vec<DemoCase> = data::lines(&options.cases)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut seen = Vec::new();
    for (number, case) in cases.iter().take(options.count).enumerate() {
        let times = runtime.block_on(one(&options.server, &case.text, number))?;
        crate::print_line(&format!(
            "{:<12} ack {:>6.1} ms   first text {:>7.1} ms   complete {:>7.1} ms   {}",
            case.qid, times.ack, times.first, times.complete, times.from
        ));
        seen.push(times);
    }
    summary("ack", seen.iter().map(|t| t.ack).collect());
    summary("first text", seen.iter().map(|t| t.first).collect());
    summary("complete", seen.iter().map(|t| t.complete).collect());
    if let Some(pid) = options.pid {
        crate::print_line(&format!("resident memory of process {pid}: {} MiB", resident_mib(pid)?));
    }
    Ok(())
}

fn summary(name: &str, values: Vec<f64>) {
    let at = |q| percentile(&values, q).unwrap_or(f64::NAN);
    crate::print_line(&format!(
        "{name:<11} p50 {:.1} ms   p95 {:.1} ms   max {:.1} ms",
        at(0.5),
        at(0.95),
        at(1.0)
    ));
}

async fn one(server: &str, question: &str, number: usize) -> Result<Times> {
    let mut request = format!("ws://{server}/widget/ws").into_client_request()?;
    request.headers_mut().insert("origin", format!("http://{server}").parse()?);
    let (mut socket, _) = connect_async(request).await.with_context(|| {
        format!("no Porchlight answers at {server}; start it with `cargo run --release`")
    })?;
    let hello =
        json!({"type": "hello", "v": 1, "token": null, "conversation": null, "last_seq": 0});
    socket.send(Message::text(hello.to_string())).await?;
    wait_for(&mut socket, |frame| frame["type"] == "welcome").await?;
    let start = Instant::now();
    let id = format!("{number:032x}");
    let send = json!({"type": "send", "client_msg_id": id, "text": question});
    socket.send(Message::text(send.to_string())).await?;
    let ms = || start.elapsed().as_secs_f64() * 1000.0;
    wait_for(&mut socket, |frame| frame["type"] == "ack").await?;
    let ack = ms();
    let shows =
        |frame: &Value| frame["type"] == "draft" && frame["phase"] == "piece" || replies(frame);
    let mut frame = wait_for(&mut socket, shows).await?;
    let first = ms();
    if !replies(&frame) {
        frame = wait_for(&mut socket, replies).await?;
    }
    let from = frame["from"].as_str().unwrap_or("?").to_owned();
    let times = Times { ack, first, complete: ms(), from };
    socket.close(None).await?;
    Ok(times)
}

fn replies(frame: &Value) -> bool {
    frame["type"] == "message" && frame["from"] != "visitor"
}

async fn wait_for(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    loop {
        let message = timeout(PATIENCE, socket.next()).await.context("no frame within 60 s")?;
        match message.context("the server closed the socket")?? {
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(&text)?;
                ensure!(frame["type"] != "error", "the server answered {frame}");
                if wanted(&frame) {
                    return Ok(frame);
                }
            }
            Message::Close(frame) => bail!("the server closed the socket: {frame:?}"),
            _ => {}
        }
    }
}

/// `VmRSS` of a process, where the system tells it.
fn resident_mib(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status =
        std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.with_context(|| format!("{path} tells no resident memory"))? / 1024)
}
