//! A visitor as the widget is one: an outbox that survives every break, resuming from the last seq, coming back until it is in.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async};

use crate::ledger::{Event, Log};
use crate::run::Dice;

/// Pause before coming back: at random below this, doubled with each failure up to the longest. Shorter than the widget's,
/// as the rounds are many.
const PAUSE: (Duration, Duration) = (Duration::from_millis(40), Duration::from_secs(1));
/// A connection, a greeting or an answer to a ping that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(4);
const PING: Duration = Duration::from_millis(500);
/// Ids of waiting messages that a greeting names.
const OUTBOX: usize = 100;
/// Messages that are on their way at once.
const WINDOW: usize = 8;
/// A refused message is sent again after what the server says, and after this at the latest.
const AGAIN: Duration = Duration::from_millis(500);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Incoming = Result<Message, tokio_tungstenite::tungstenite::Error>;

/// A message that is not acknowledged yet.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) text: String,
    /// How often it is sent at once.
    pub(super) times: u32,
}

/// What a visitor is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    Say(Line),
    /// Ends the connection without a word.
    Cut,
    /// Answers once all is acknowledged and all up to the head is shown.
    Settle(oneshot::Sender<()>),
}

/// What all tabs of one browser share.
#[derive(Debug, Default)]
pub(super) struct Browser {
    pub(super) token: Option<String>,
    pub(super) conversation: Option<String>,
}

/// What a tab has met so far.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Met {
    /// Times it was welcomed.
    pub(super) welcomes: u32,
    /// Acknowledgements, repeated ones too.
    pub(super) acks: u32,
    /// Messages refused with a time to try again.
    pub(super) refusals: u32,
    /// Messages of the bot.
    pub(super) replies: u32,
    /// Acknowledgements that contradict an earlier one.
    pub(super) contradictions: u32,
    /// Longest wait for an acknowledgement, in milliseconds.
    pub(super) slowest_ms: u64,
}

/// One open page.
#[derive(Debug, Clone)]
pub(super) struct Tab {
    orders: mpsc::UnboundedSender<Order>,
    browser: Arc<Mutex<Browser>>,
    met: Arc<Mutex<Met>>,
}

impl Tab {
    /// Opens a page of `browser` on the server at `address`, reached over `via`; it ends when all its handles are dropped.
    pub(super) fn open(
        (name, address, via): (&str, &str, &str),
        browser: Arc<Mutex<Browser>>,
        log: Log,
        seed: u64,
    ) -> Self {
        let (orders, waiting) = mpsc::unbounded_channel();
        let met = Arc::new(Mutex::new(Met::default()));
        let page = Page {
            name: name.into(),
            address: address.into(),
            via: via.into(),
            browser: Arc::clone(&browser),
            met: Arc::clone(&met),
            log,
            orders: waiting,
            outbox: VecDeque::new(),
            epoch: None,
            last_seq: 0,
            seqs: HashMap::new(),
            settle: None,
            dice: Dice::new(seed),
        };
        tokio::spawn(page.live());
        Self { orders, browser, met }
    }

    pub(super) fn order(&self, order: Order) {
        // A page whose log failed has ended; whoever waits for it to settle learns that.
        let _ = self.orders.send(order);
    }

    pub(super) fn browser(&self) -> Arc<Mutex<Browser>> {
        Arc::clone(&self.browser)
    }

    pub(super) fn conversation(&self) -> Option<String> {
        locked(&self.browser).conversation.clone()
    }

    pub(super) fn met(&self) -> Met {
        *locked(&self.met)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

struct Waiting {
    line: Line,
    since: Instant,
    /// Whether it is on its way on this connection.
    sent: bool,
    /// When it was refused: not before this.
    after: Option<Instant>,
}

struct Settle {
    done: oneshot::Sender<()>,
    /// Head that was greeted with after everything was acknowledged.
    head: Option<i64>,
    asked: bool,
}

struct Page {
    name: String,
    /// `HOST:PORT` of the server, and of what stands before it.
    address: String,
    via: String,
    browser: Arc<Mutex<Browser>>,
    met: Arc<Mutex<Met>>,
    log: Log,
    orders: mpsc::UnboundedReceiver<Order>,
    outbox: VecDeque<Waiting>,
    epoch: Option<String>,
    last_seq: i64,
    /// Where each message was acknowledged first.
    seqs: HashMap<String, i64>,
    settle: Option<Settle>,
    dice: Dice,
}

/// Why a connection ended.
enum End {
    /// Come back.
    Broken,
    /// Nobody holds the page any more.
    Closed,
}

impl Page {
    async fn live(mut self) {
        let mut failures = 0;
        loop {
            let before = locked(&self.met).welcomes;
            match self.connection().await {
                Ok(End::Closed) => return,
                Ok(End::Broken) | Err(_) => {}
            }
            failures = if locked(&self.met).welcomes > before { 0 } else { failures + 1 };
            if let Some(settle) = &mut self.settle {
                (settle.asked, settle.head) = (false, None);
            }
            let longest = (PAUSE.0 * (1 << failures.min(6))).min(PAUSE.1).as_millis() as u64;
            let pause = sleep(Duration::from_millis(self.dice.roll() % longest));
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    order = self.orders.recv() => match order {
                        Some(Order::Cut) => {}
                        Some(order) => self.take(order),
                        None => return,
                    },
                }
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Say(line) => {
                self.outbox.push_back(Waiting {
                    line,
                    since: Instant::now(),
                    sent: false,
                    after: None,
                });
            }
            Order::Settle(done) => {
                self.settle = Some(Settle { done, head: None, asked: false });
            }
            Order::Cut => {}
        }
    }

    async fn connection(&mut self) -> Result<End> {
        let mut socket = timeout(PATIENCE, self.connect()).await??;
        self.hello(&mut socket).await?;
        let welcomed = timeout(PATIENCE, async {
            loop {
                let message = socket.next().await;
                if self.frame(&mut socket, message).await? {
                    return anyhow::Ok(());
                }
            }
        });
        welcomed.await??;
        // What was on its way is sent again; the server knows it by its id.
        self.outbox.iter_mut().for_each(|waiting| waiting.sent = false);
        let (mut ping, mut heard) = (tokio::time::interval(PING), Instant::now());
        loop {
            self.send(&mut socket).await?;
            self.settled(&mut socket).await?;
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    Some(Order::Cut) => return Ok(End::Broken),
                    Some(order) => self.take(order),
                    None => return Ok(End::Closed),
                },
                // Only the read may be given up half-way, not what is noted of a frame.
                message = socket.next() => {
                    self.frame(&mut socket, message).await?;
                    heard = Instant::now();
                }
                _ = ping.tick() => {
                    if heard.elapsed() > PATIENCE {
                        bail!("nothing comes any more");
                    }
                    timeout(PATIENCE, socket.send(Message::Ping(Vec::new().into()))).await??;
                }
            }
        }
    }

    async fn connect(&self) -> Result<Socket> {
        let mut request = format!("ws://{}/widget/ws", self.address).into_client_request()?;
        request.headers_mut().insert("origin", format!("http://{}", self.address).parse()?);
        let stream = TcpStream::connect(&self.via).await?;
        stream.set_nodelay(true)?;
        Ok(client_async(request, MaybeTlsStream::Plain(stream)).await?.0)
    }

    async fn hello(&mut self, socket: &mut Socket) -> Result<()> {
        let outbox: Vec<&str> =
            self.outbox.iter().map(|waiting| waiting.line.id.as_str()).take(OUTBOX).collect();
        let frame = {
            let browser = locked(&self.browser);
            json!({
                "type": "hello", "v": 1, "token": browser.token, "conversation": browser.conversation,
                "epoch": self.epoch, "last_seq": self.last_seq, "outbox": outbox,
            })
        };
        self.write(socket, &frame).await
    }

    async fn write(&self, socket: &mut Socket, frame: &Value) -> Result<()> {
        Ok(timeout(PATIENCE, socket.send(Message::text(frame.to_string()))).await??)
    }

    /// Sends what waits, a few at a time.
    async fn send(&mut self, socket: &mut Socket) -> Result<()> {
        let now = Instant::now();
        let mut on_their_way = self.outbox.iter().filter(|waiting| waiting.sent).count();
        for at in 0..self.outbox.len() {
            let waiting = &mut self.outbox[at];
            if on_their_way >= WINDOW {
                break;
            }
            if waiting.sent || waiting.after.is_some_and(|after| after > now) {
                continue;
            }
            (waiting.sent, waiting.after) = (true, None);
            on_their_way += 1;
            let Line { id, text, times } = waiting.line.clone();
            let frame = json!({ "type": "send", "client_msg_id": id, "text": text });
            let conversation = locked(&self.browser).conversation.clone();
            let client = self.name.clone();
            self.log.sure(Event::Attempt { at: 0, client, conversation, id, text }).await?;
            for _ in 0..times {
                self.write(socket, &frame).await?;
            }
        }
        Ok(())
    }

    /// Takes one frame; whether it was the welcome.
    async fn frame(&mut self, socket: &mut Socket, message: Option<Incoming>) -> Result<bool> {
        let frame: Value = match message.context("the server hung up")?? {
            Message::Text(text) => serde_json::from_str(&text)?,
            Message::Close(close) => bail!("closed: {close:?}"),
            _ => return Ok(false),
        };
        match frame["type"].as_str() {
            Some("welcome") => {
                self.welcome(&frame).await?;
                return Ok(true);
            }
            Some("ack") => self.ack(&frame).await?,
            Some("message") => self.message(socket, &frame).await?,
            Some("error") => self.refused(&frame),
            _ => {}
        }
        Ok(false)
    }

    async fn welcome(&mut self, frame: &Value) -> Result<()> {
        if frame["restored"] == true {
            self.last_seq = 0;
            self.log.note(Event::Reset { at: 0, client: self.name.clone() }).await?;
        }
        self.epoch = frame["epoch"].as_str().map(str::to_owned);
        locked(&self.met).welcomes += 1;
        // What the outbox holds and the server has: as good as an acknowledgement.
        let conversation = frame["conversation"].as_str().unwrap_or_default();
        for (id, seq) in frame["known"].as_object().into_iter().flatten() {
            self.acknowledged(id, (conversation, seq.as_i64().context("a seq")?)).await?;
        }
        let mut browser = locked(&self.browser);
        browser.token = frame["token"].as_str().map(str::to_owned);
        if let Some(id) = frame["conversation"].as_str() {
            browser.conversation = Some(id.to_owned());
        }
        if let Some(settle) = self.settle.as_mut().filter(|settle| settle.asked) {
            settle.head = frame["head"].as_i64();
        }
        Ok(())
    }

    async fn ack(&mut self, frame: &Value) -> Result<()> {
        let text = |name: &str| frame[name].as_str().unwrap_or_default();
        let seq = frame["seq"].as_i64().context("an ack has a seq")?;
        locked(&self.browser).conversation = Some(text("conversation").to_owned());
        self.acknowledged(text("client_msg_id"), (text("conversation"), seq)).await
    }

    async fn acknowledged(&mut self, id: &str, (conversation, seq): (&str, i64)) -> Result<()> {
        let waited = self.outbox.iter().find(|waiting| waiting.line.id == id);
        let waited = waited.map_or(0, |waiting| waiting.since.elapsed().as_millis() as u64);
        {
            let first = *self.seqs.entry(id.to_owned()).or_insert(seq);
            let mut met = locked(&self.met);
            met.acks += 1;
            met.contradictions += u32::from(first != seq);
            met.slowest_ms = met.slowest_ms.max(waited);
        }
        let (client, conversation) = (self.name.clone(), conversation.to_owned());
        self.log.note(Event::Ack { at: 0, client, id: id.to_owned(), conversation, seq }).await?;
        self.outbox.retain(|waiting| waiting.line.id != id);
        Ok(())
    }

    async fn message(&mut self, socket: &mut Socket, frame: &Value) -> Result<()> {
        let seq = frame["seq"].as_i64().context("a message has a seq")?;
        if seq <= self.last_seq {
            return Ok(());
        }
        if seq > self.last_seq + 1 {
            return self.hello(socket).await;
        }
        let text = |name: &str| frame[name].as_str().map(str::to_owned);
        let from = text("from").unwrap_or_default();
        locked(&self.met).replies += u32::from(from == "bot");
        let event = Event::Show {
            at: 0,
            client: self.name.clone(),
            conversation: text("conversation").unwrap_or_default(),
            seq,
            from,
            id: text("client_msg_id"),
            text: text("text").unwrap_or_default(),
            draft_id: text("draft_id"),
        };
        self.log.note(event).await?;
        self.last_seq = seq;
        Ok(())
    }

    /// Some refusals name no message: then it may have been any of those on their way.
    fn refused(&mut self, frame: &Value) {
        let Some(ms) = frame["retry_after_ms"].as_u64() else { return };
        let id = frame["client_msg_id"].as_str();
        let after = Instant::now() + Duration::from_millis(ms).min(AGAIN);
        for waiting in self.outbox.iter_mut().filter(|waiting| waiting.sent) {
            if id.is_none_or(|id| id == waiting.line.id) {
                (waiting.sent, waiting.after) = (false, Some(after));
                locked(&self.met).refusals += 1;
            }
        }
    }

    /// Greets once more when all is acknowledged, and says so when all up to that head is shown.
    async fn settled(&mut self, socket: &mut Socket) -> Result<()> {
        let Some(settle) = self.settle.as_mut().filter(|_| self.outbox.is_empty()) else {
            return Ok(());
        };
        if !settle.asked {
            settle.asked = true;
            return self.hello(socket).await;
        }
        if settle.head.is_none_or(|head| head > self.last_seq) {
            return Ok(());
        }
        let head = settle.head.unwrap_or(0);
        let conversation = locked(&self.browser).conversation.clone();
        if let Some(conversation) = conversation {
            let client = self.name.clone();
            self.log.sure(Event::Resumed { at: 0, client, conversation, head }).await?;
        }
        if let Some(settle) = self.settle.take() {
            // Somebody who waits no longer needs no answer.
            let _ = settle.done.send(());
        }
        Ok(())
    }
}
