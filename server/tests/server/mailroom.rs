//! Real mail servers over one mailbox: aiosmtpd puts into it what is sent, Dovecot shows what is in it. Both listen with a certificate of
//! their own making. Debian has them as `python3-aiosmtpd` and `dovecot-imapd`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use server::config::{Imap, Mail, Security, Settings};
use server::startup::Outside;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::house::PATIENCE;

pub(crate) const FROM: &str = "chat@porchlight.example";
pub(crate) const OWNER: &str = "ada@example.org";

/// A mailbox, and the servers that stand before it.
pub(crate) struct Mailroom {
    folder: TempDir,
    servers: Vec<Child>,
    imap: [u16; 2],
    certificate: String,
    count: AtomicU32,
}

impl Drop for Mailroom {
    fn drop(&mut self) {
        for server in &mut self.servers {
            // Asked to end: Dovecot has children of its own to end first.
            let asked = Command::new("kill").arg(server.id().to_string()).status();
            if !asked.is_ok_and(|status| status.success()) {
                let _ = server.kill();
            }
            let _ = server.wait();
        }
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(mut command: Command) -> Child {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| {
        panic!("{name} cannot be started ({error}); install python3-aiosmtpd and dovecot-imapd, or run `make mail-servers`")
    })
}

/// Waits until somebody listens.
async fn listens(port: u16, log: &Path) {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let knock = async {
        while TcpStream::connect(address).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let log = || std::fs::read_to_string(log).unwrap_or_default();
    timeout(PATIENCE, knock)
        .await
        .unwrap_or_else(|_| panic!("no mail server on {port}: {}", log()));
}

fn is_root() -> bool {
    let status = Command::new("id").arg("-u").output().unwrap();
    status.stdout == b"0\n"
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Mailroom {
    /// Starts Dovecot over an empty mailbox.
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display().to_string();
        for name in ["run", "state", "mail/box/cur", "mail/box/new", "mail/box/tmp"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = made.cert.pem();
        std::fs::write(folder.path().join("cert.pem"), &certificate).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(folder.path().join("password"), "secret\n").unwrap();
        if is_root() {
            // Neither server reads mail as root.
            run("chmod", &["755", &root]);
            run("chown", &["-R", "nobody", &format!("{root}/mail")]);
        }
        let imap = [free_port(), free_port()];
        let config = folder.path().join("dovecot.conf");
        std::fs::write(&config, dovecot(&root, imap)).unwrap();
        let mut command = Command::new("dovecot");
        command.args(["-F", "-c"]).arg(&config);
        command.env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/bin:/usr/local/bin");
        let servers = vec![start(command)];
        let count = AtomicU32::new(0);
        let room = Self { folder, servers, imap, certificate, count };
        for port in imap {
            listens(port, &room.path("log")).await;
        }
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a server that takes mail; the settings to send by it.
    pub(crate) async fn smtp(&mut self, tls: Security) -> Mail {
        self.smtp_at(tls, free_port()).await
    }

    pub(crate) async fn smtp_at(&mut self, tls: Security, port: u16) -> Mail {
        let mut command = Command::new("aiosmtpd");
        if !is_root() {
            command.arg("-n");
        }
        command.args(["-l", &format!("127.0.0.1:{port}")]);
        let (certificate, key) = match tls {
            Security::None => ("", ""),
            Security::Starttls => ("--tlscert", "--tlskey"),
            Security::Tls => ("--smtpscert", "--smtpskey"),
        };
        if !certificate.is_empty() {
            command.arg(certificate).arg(self.path("cert.pem"));
            command.arg(key).arg(self.path("key.pem"));
        }
        command.args(["-c", "aiosmtpd.handlers.Mailbox"]).arg(self.path("mail/box"));
        self.servers.push(start(command));
        listens(port, Path::new("")).await;
        Self::sending(port, tls)
    }

    /// Settings to send mail to a port of this machine.
    pub(crate) fn sending(port: u16, tls: Security) -> Mail {
        Mail {
            server: Some("localhost".into()),
            port: Some(port),
            tls,
            from: Some(FROM.into()),
            ..Mail::default()
        }
    }

    /// Settings to read the mailbox by; it is looked at when it is rung.
    pub(crate) fn reading(&self, tls: Security) -> Imap {
        let port = if tls == Security::Tls { self.imap[1] } else { self.imap[0] };
        Imap {
            server: Some("localhost".into()),
            port: Some(port),
            tls,
            user: Some("ada".into()),
            password_file: Some(self.path("password")),
            every_s: 3_600,
        }
    }

    /// Settings for both ways.
    pub(crate) async fn settings(&mut self) -> Settings {
        let mail = self.smtp(Security::None).await;
        let mut settings =
            Settings { mail, imap: self.reading(Security::None), ..Settings::default() };
        settings.replies.settle_ms = 0;
        settings
    }

    /// What a server needs to trust these.
    pub(crate) fn trusted(&self) -> Outside {
        Outside { trust: self.trust(), ..Outside::system().unwrap() }
    }

    pub(crate) fn trust(&self) -> Vec<Vec<u8>> {
        vec![self.certificate.clone().into_bytes()]
    }

    /// Replaces the password that is sent.
    pub(crate) fn password(&self, text: &str) {
        std::fs::write(self.path("password"), text).unwrap();
    }

    /// Puts a mail into the mailbox as it is; the name of its file.
    pub(crate) fn put(&self, mail: impl AsRef<[u8]>) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("17{count:08}.M{count}P1.test");
        let before = self.path("mail/box/tmp").join(&name);
        std::fs::write(&before, mail).unwrap();
        if is_root() {
            run("chown", &["nobody", &before.display().to_string()]);
        }
        std::fs::rename(before, self.path("mail/box/new").join(&name)).unwrap();
        name
    }

    /// Waits until a mail is marked as seen.
    pub(crate) async fn until_seen(&self, name: &str) {
        let path = self.path("mail/box/cur");
        let is_seen = || {
            let names = std::fs::read_dir(&path).unwrap().flatten();
            let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
            names.any(|found| {
                let flags = found.strip_prefix(name).and_then(|rest| rest.rsplit_once(":2,"));
                flags.is_some_and(|(_, flags)| flags.contains('S'))
            })
        };
        let look = async {
            while !is_seen() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let log = || std::fs::read_to_string(self.path("log")).unwrap_or_default();
        timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("{name} is not seen: {}", log()));
    }

    /// Forgets the numbers of the mails: Dovecot gives new ones, and says so.
    pub(crate) fn renumber(&self) {
        for name in [
            "dovecot-uidlist",
            "dovecot-uidvalidity",
            "dovecot.index.log",
            "dovecot.index",
            "dovecot.index.cache",
            "dovecot.list.index.log",
        ] {
            let _ = std::fs::remove_file(self.path("mail/box").join(name));
        }
        for entry in std::fs::read_dir(self.path("mail/box")).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("dovecot-uidvalidity.") {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        // A folder's numbers are named by the second.
        let list = "3 V1234567890 N1 G0123456789abcdef0123456789abcdef\n";
        std::fs::write(self.path("mail/box/dovecot-uidlist"), list).unwrap();
        if is_root() {
            run("chown", &["nobody", &self.path("mail/box/dovecot-uidlist").display().to_string()]);
        }
    }

    /// The mails in the mailbox, in the order of their coming, and whether each is marked as seen.
    pub(crate) fn mails(&self) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        for name in ["new", "cur"] {
            for entry in std::fs::read_dir(self.path("mail/box").join(name)).unwrap().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                // Moved to `cur` meanwhile.
                let Ok(bytes) = std::fs::read(entry.path()) else { continue };
                let seen = name.rsplit_once(":2,").is_some_and(|(_, flags)| flags.contains('S'));
                found.push((name, String::from_utf8_lossy(&bytes).into_owned(), seen));
            }
        }
        found.sort();
        found.into_iter().map(|(_, mail, seen)| (mail, seen)).collect()
    }

    /// Waits until the mailbox holds what is looked for.
    pub(crate) async fn until(
        &self,
        found: impl Fn(&[(String, bool)]) -> bool,
    ) -> Vec<(String, bool)> {
        let look = async {
            loop {
                let mails = self.mails();
                if found(&mails) {
                    return mails;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("{:#?}", self.mails()))
    }
}

/// A header of a mail, unfolded.
pub(crate) fn header(mail: &str, name: &str) -> String {
    let head = mail.replace("\r\n", "\n").split("\n\n").next().unwrap_or_default().to_owned();
    let head = head.replace("\n ", " ").replace("\n\t", " ");
    let found = head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then(|| value.to_owned())
    });
    found.unwrap_or_default()
}

fn dovecot(root: &str, [imap, imaps]: [u16; 2]) -> String {
    let new = run_version().starts_with("2.4");
    let group = run(
        "id",
        &["-gn", if is_root() { "nobody" } else { "" }]
            .iter()
            .filter(|a| !a.is_empty())
            .copied()
            .collect::<Vec<_>>(),
    );
    let user = if is_root() { "nobody".to_owned() } else { run("id", &["-un"]) };
    let own = if is_root() {
        String::new()
    } else {
        format!(
            "default_login_user = {user}\ndefault_internal_user = {user}\ndefault_internal_group = {group}\nservice anvil {{\n  chroot =\n}}\n"
        )
    };
    let versions =
        if new { "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n" } else { "" };
    let rest = if new {
        format!(
            "ssl_server_cert_file = {root}/cert.pem\nssl_server_key_file = {root}/key.pem\nmail_driver = maildir\nmail_path = {root}/mail/box\nauth_allow_cleartext = yes\nprotocols {{\n  imap = yes\n}}\npassdb static {{\n  password = secret\n}}\nuserdb static {{\n  fields {{\n    uid = {user}\n    gid = {group}\n    home = {root}/mail\n  }}\n}}\n"
        )
    } else {
        format!(
            "ssl_cert = <{root}/cert.pem\nssl_key = <{root}/key.pem\nmail_location = maildir:{root}/mail/box\ndisable_plaintext_auth = no\nprotocols = imap\npassdb {{\n  driver = static\n  args = password=secret\n}}\nuserdb {{\n  driver = static\n  args = uid={user} gid={group} home={root}/mail\n}}\n"
        )
    };
    format!(
        "{versions}{own}base_dir = {root}/run\nstate_dir = {root}/state\nlog_path = {root}/log\nlisten = 127.0.0.1\nssl = yes\nfirst_valid_uid = 1\nauth_failure_delay = 0\nservice imap-login {{\n  chroot =\n  inet_listener imap {{\n    port = {imap}\n  }}\n  inet_listener imaps {{\n    port = {imaps}\n    ssl = yes\n  }}\n}}\n{rest}"
    )
}

/// Dovecot's own version.
fn run_version() -> String {
    let mut command = Command::new("dovecot");
    command.arg("--version").env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/bin:/usr/local/bin");
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "dovecot cannot be started ({error}); install dovecot-imapd, or run `make mail-servers`"
        )
    });
    String::from_utf8_lossy(&output.stdout).into_owned()
}
