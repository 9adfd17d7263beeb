//! A running server over a handful of documents, and clients that speak with it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use engine::draft::Mode;
use engine::model::{Model, ModelError};
use engine::testing::ScriptedModel;
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::{Knowledge, Settings, Stream};
use server::startup::{self, Outside, Running};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use crate::client::{Answer, Client};

/// Nothing in these tests takes this long; whoever waits longer has waited in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const QUESTION: &str = "Which port does Porchlight listen on?";
pub(crate) const ANSWER: &str = "Porchlight listens on port 7878 unless you change the port.";
const DOCUMENTS: [(&str, &str); 2] = [
    (
        "port.md",
        "---\nversion: \"1\"\n---\n# Ports\n\n## Which port does Porchlight listen on?\n\nPorchlight listens on port 7878 unless you change the port.\n",
    ),
    (
        "backup.md",
        "# Backups\n\n## How do I make a backup?\n\nBackups are copies of the data folder.\n",
    ),
];

/// Lets tokens through, or holds them.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    state: Arc<(Mutex<(bool, u32)>, Condvar)>,
}

impl Gate {
    /// A model that writes `text` in free text, every token through this gate.
    pub(crate) fn model(&self, text: &str) -> ScriptedModel {
        let gate = self.clone();
        let pass = move || {
            let (lock, bell) = &*gate.state;
            let mut state = lock.lock().unwrap();
            state.1 += 1;
            bell.notify_all();
            while !state.0 {
                state = bell.wait(state).unwrap();
            }
            Ok(())
        };
        let scripts = HashMap::from([(String::new(), text.to_owned())]);
        scripted(scripts, pass)
    }

    /// Lets everything through from now on.
    pub(crate) fn open(&self) {
        let (lock, bell) = &*self.state;
        lock.lock().unwrap().0 = true;
        bell.notify_all();
    }

    /// Waits until a token stands at the gate.
    pub(crate) async fn reached(&self) {
        let gate = self.clone();
        let wait = tokio::task::spawn_blocking(move || {
            let (lock, bell) = &*gate.state;
            let mut state = lock.lock().unwrap();
            while state.1 == 0 {
                state = bell.wait(state).unwrap();
            }
        });
        timeout(PATIENCE, wait).await.unwrap().unwrap();
    }
}

/// The hands of a clock that moves when a test moves it.
#[derive(Clone)]
pub(crate) struct Hands(Arc<AtomicI64>);

impl Hands {
    /// A clock that stands at some day.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_700_000_000_000)))
    }

    pub(crate) fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn forward(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets the clock.
    pub(crate) fn set(&self, now: i64) {
        self.0.store(now, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::new(move || hands.now())
    }
}

/// A scripted model with a hook before every token.
pub(crate) fn scripted(
    scripts: HashMap<String, String>,
    before: impl Fn() -> Result<(), ModelError> + Send + Sync + 'static,
) -> ScriptedModel {
    let mut model = ScriptedModel::default();
    model.scripts = scripts;
    model.before_token = Some(Box::new(before));
    model
}

/// The folder of a server that has stopped.
pub(crate) struct Stopped(pub(crate) TempDir);

impl Stopped {
    /// Starts another on it.
    pub(crate) async fn begun(self) -> House {
        House::over((self.0, Settings::default()), ScriptedModel::default(), Mode::Quote).await
    }
}

pub(crate) struct House {
    pub(crate) running: Running,
    pub(crate) folder: TempDir,
    pub(crate) address: SocketAddr,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(ScriptedModel::default(), Mode::Quote).await
    }

    pub(crate) async fn with(model: ScriptedModel, mode: Mode) -> Self {
        Self::over((furnished(), Settings::default()), model, mode).await
    }

    /// A house with these actions, with settings of its own, and with the time of `hands`.
    pub(crate) async fn acting(
        actions: &str,
        hands: &Hands,
        tune: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = furnished();
        std::fs::write(folder.path().join("prompts/actions.toml"), actions).unwrap();
        Self::acting_in(folder, hands, tune).await
    }

    /// The same in a folder that is there.
    pub(crate) async fn acting_in(
        folder: TempDir,
        hands: &Hands,
        tune: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::default();
        settings.replies.settle_ms = 0;
        tune(&mut settings);
        let outside = Outside { clock: hands.clock(), ..Outside::system().unwrap() };
        Self::start((folder, settings), (ScriptedModel::default(), Mode::Quote), outside).await
    }

    /// A house that has pages of the web among its documents.
    pub(crate) async fn with_pages(knowledge: Knowledge) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let Self { running, folder, .. } = Self::open().await;
        running.stop().await;
        let settings = Settings { knowledge, ..Settings::default() };
        Self::over((folder, settings), ScriptedModel::default(), Mode::Quote).await
    }

    /// A house with more lines in its policy, and what visitors see of a draft.
    pub(crate) async fn ruled(
        lines: &str,
        stream: Stream,
        (model, mode): (ScriptedModel, Mode),
    ) -> Self {
        let Self { running, folder, .. } = Self::open().await;
        running.stop().await;
        let policy = folder.path().join("prompts/policy.toml");
        let shipped = std::fs::read_to_string(&policy).unwrap();
        std::fs::write(&policy, format!("{shipped}\n{lines}")).unwrap();
        let mut settings = Settings::default();
        settings.replies.stream = stream;
        Self::over((folder, settings), model, mode).await
    }

    /// A house with the shipped flows, or others, and these further documents.
    pub(crate) async fn flowing(flows: &str, documents: &[(&str, &str)]) -> Self {
        let Self { running, folder, .. } = Self::open().await;
        running.stop().await;
        std::fs::write(folder.path().join("prompts/flows.toml"), flows).unwrap();
        for (name, text) in documents {
            std::fs::write(folder.path().join("knowledge").join(name), text).unwrap();
        }
        Self::over((folder, Settings::default()), ScriptedModel::default(), Mode::Quote).await
    }

    /// A house whose time is `hands`, and that waits for a visitor's further words.
    pub(crate) async fn timed(hands: &Hands, model: ScriptedModel, mode: Mode) -> Self {
        let Self { running, folder, .. } = Self::open().await;
        running.stop().await;
        let outside = Outside { clock: hands.clock(), ..Outside::system().unwrap() };
        Self::start((folder, Settings::default()), (model, mode), outside).await
    }

    /// A house whose `notify.toml` says this.
    pub(crate) async fn told(notify: &str, settings: Settings, outside: Outside) -> Self {
        let Self { running, folder, .. } = Self::open().await;
        running.stop().await;
        std::fs::write(folder.path().join("prompts/notify.toml"), notify).unwrap();
        let model = (ScriptedModel::default(), Mode::Quote);
        Self::start((folder, settings), model, outside).await
    }

    /// Stops the server and starts another with these settings on the same data.
    pub(crate) async fn reopened(self, settings: Settings, outside: Outside) -> Self {
        let Stopped(folder) = self.stopped().await;
        Self::start((folder, settings), (ScriptedModel::default(), Mode::Quote), outside).await
    }

    /// A house with office hours, whose time is `hands`.
    pub(crate) async fn with_hours(hands: &Hands, hours: &str) -> Self {
        let Self { running, folder, .. } = Self::open().await;
        running.stop().await;
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../prompts/notify.toml");
        std::fs::copy(own, folder.path().join("prompts/notify.toml")).unwrap();
        std::fs::write(folder.path().join("prompts/hours.toml"), hours).unwrap();
        Self::at(folder, hands).await
    }

    /// A house with surveys, whose time is `hands`.
    pub(crate) async fn surveying(hands: &Hands, surveys: &str) -> Self {
        let folder = furnished();
        std::fs::write(folder.path().join("prompts/surveys.toml"), surveys).unwrap();
        Self::at(folder, hands).await
    }

    /// Stops the server and starts another on the same data, with the same clock.
    pub(crate) async fn again_at(self, hands: &Hands) -> Self {
        let Stopped(folder) = self.stopped().await;
        Self::at(folder, hands).await
    }

    async fn at(folder: TempDir, hands: &Hands) -> Self {
        let mut settings = Settings::default();
        settings.replies.settle_ms = 0;
        settings.limits.messages_a_minute = NonZeroU32::MAX;
        let outside = Outside { clock: hands.clock(), ..Outside::system().unwrap() };
        Self::start((folder, settings), (ScriptedModel::default(), Mode::Quote), outside).await
    }

    async fn over(
        (folder, mut settings): (TempDir, Settings),
        model: ScriptedModel,
        mode: Mode,
    ) -> Self {
        // Most tests are about what is answered, not when.
        settings.replies.settle_ms = 0;
        Self::start((folder, settings), (model, mode), Outside::system().unwrap()).await
    }

    async fn start(
        (folder, mut settings): (TempDir, Settings),
        (model, mode): (ScriptedModel, Mode),
        outside: Outside,
    ) -> Self {
        settings.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        settings.server.data_dir = folder.path().join("data");
        settings.knowledge.dir = folder.path().join("knowledge");
        settings.replies.prompts = Some(folder.path().join("prompts"));
        let lock = startup::data::lock(&settings).unwrap();
        let bound = startup::bind(&settings).await.unwrap();
        let model = (Arc::new(model) as Arc<dyn Model>, mode);
        let running = startup::open(&settings, bound, lock, model, outside).await.unwrap();
        Self { address: running.address, running, folder }
    }

    /// Stops the server and starts another on the same data.
    pub(crate) async fn again(self, model: ScriptedModel, mode: Mode) -> Self {
        let Stopped(folder) = self.stopped().await;
        Self::over((folder, Settings::default()), model, mode).await
    }

    /// Stops the server.
    pub(crate) async fn stopped(self) -> Stopped {
        let Self { running, folder, .. } = self;
        running.stop().await;
        Stopped(folder)
    }

    pub(crate) async fn visitor(&self) -> Client {
        Client::connect(self.address, "/widget/ws").await
    }

    /// A visitor who has said hello for the first time.
    pub(crate) async fn greeted(&self) -> (Client, Value) {
        let mut client = self.visitor().await;
        let welcome = client.hello(Value::Null, Value::Null, 0).await;
        (client, welcome)
    }

    /// An owner who has signed up; the cookie.
    pub(crate) async fn owner(&self) -> String {
        let token = self.running.setup.clone().unwrap();
        let body = json!({ "token": token, "name": "Ada", "email": "ada@example.org", "password": "correct horse 1" });
        let answer = self.post("/console/api/setup", "", &body).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        answer.cookie()
    }

    pub(crate) async fn console(&self, cookie: &str) -> Client {
        let ticket =
            self.post("/console/api/ticket", cookie, &json!({})).await.json()["ticket"].clone();
        let mut client = Client::connect(self.address, "/console/ws").await;
        client.send(&json!({ "type": "hello", "v": 1, "ticket": ticket })).await;
        client.until("welcome").await;
        client
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.request(&format!("GET {path} HTTP/1.1\r\nCookie: {cookie}\r\n"), "").await
    }

    /// Uploads a file as it is.
    pub(crate) async fn upload(&self, path: &str, cookie: &str, body: &str) -> Answer {
        let origin = format!("http://{}", self.address);
        let head = format!(
            "POST /console/api/knowledge/upload/{path} HTTP/1.1\r\nCookie: {cookie}\r\nOrigin: {origin}\r\nContent-Type: application/octet-stream\r\n"
        );
        self.request(&head, body).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str, body: &Value) -> Answer {
        let origin = format!("http://{}", self.address);
        let head = format!(
            "POST {path} HTTP/1.1\r\nCookie: {cookie}\r\nOrigin: {origin}\r\nContent-Type: application/json\r\n"
        );
        self.request(&head, &body.to_string()).await
    }

    /// A request as it is written, without the lines that every request has.
    pub(crate) async fn request(&self, head: &str, body: &str) -> Answer {
        let host = if head.contains("Host:") {
            String::new()
        } else {
            format!("Host: {}\r\n", self.address)
        };
        let text = format!(
            "{head}{host}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut answer = Vec::new();
        // A body that is refused need not be taken whole, and what is left of it resets the connection.
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end was due");
        Answer::read(&String::from_utf8_lossy(&answer))
    }
}

/// A folder with documents and prompts.
fn furnished() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("knowledge")).unwrap();
    for (name, text) in DOCUMENTS {
        std::fs::write(folder.path().join("knowledge").join(name), text).unwrap();
    }
    prompts(folder.path());
    folder
}

/// The built-in prompts, with thresholds that leave the decision to the rules.
pub(crate) fn prompts(folder: &Path) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../prompts");
    let to = folder.join("prompts");
    std::fs::create_dir(&to).unwrap();
    for name in ["templates.toml", "intents.toml"] {
        std::fs::copy(own.join(name), to.join(name)).unwrap();
    }
    let policy = std::fs::read_to_string(own.join("policy.toml")).unwrap();
    let lines = policy.lines().map(|line| match line.split_once(" = ") {
        Some(("send_at", _)) => "send_at = 0.02".to_owned(),
        Some(("hold_at", _)) => "hold_at = 0.01".to_owned(),
        Some(("passage_floor", _)) => "passage_floor = 0.25".to_owned(),
        _ => line.to_owned(),
    });
    std::fs::write(to.join("policy.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
}
