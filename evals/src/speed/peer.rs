//! llama.cpp as the peer: its Python package in a virtual environment that lasts as long as the measurement.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::Jobs;
use super::ours::Figures;

/// What pip is asked for.
const PACKAGE: &str = "llama-cpp-python==0.3.36";
/// What the script imports besides.
const NUMPY: &str = "numpy";
/// Measures llama.cpp on the jobs it is given.
const SCRIPT: &str = include_str!("peer.py");
/// Builds the package without its parts for images and TLS, unless `CMAKE_ARGS` says otherwise.
const CMAKE_ARGS: &str = "-DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF";
/// The same without AMX, whose kernels end the process on some virtual machines: the other extensions that a processor
/// with AMX has are named one by one.
const WITHOUT_AMX: &str = "-DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF -DGGML_NATIVE=OFF -DGGML_AVX=ON -DGGML_AVX2=ON \
    -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON -DGGML_AVX512=ON -DGGML_AVX512_VBMI=ON -DGGML_AVX512_VNNI=ON \
    -DGGML_AVX512_BF16=ON";
/// An interpreter answers and an environment is made within this.
const VENV_LIMIT: Duration = Duration::from_secs(120);
/// The package has no wheels on the index: pip builds llama.cpp.
const INSTALL_LIMIT: Duration = Duration::from_secs(45 * 60);
/// One round takes no longer.
const ROUND_LIMIT: Duration = Duration::from_secs(30 * 60);
/// Lines of a failed command's output that are shown.
const SHOWN_LINES: usize = 8;

/// A throw-away environment with the package; its folder goes when this is dropped.
pub(super) struct Peer {
    folder: PathBuf,
    /// Whether it was built again without AMX.
    plain: bool,
}

/// What the script prints.
#[derive(Deserialize)]
struct Said {
    version: String,
    figures: Figures,
}

/// One round of the peer.
pub(super) struct Round {
    /// Package and version.
    pub(super) package: String,
    pub(super) figures: Figures,
}

impl Peer {
    /// Makes the environment and installs the package.
    ///
    /// # Errors
    /// Saying what to install when Python, its `venv`, or what builds the package is not there.
    pub(super) fn install() -> Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("porchlight-evals-peer-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let peer = Self { folder, plain: false };
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(peer.folder.join("venv"));
        peer.wait(venv, VENV_LIMIT).context(
            "--peer llama.cpp needs Python 3.8 or later with venv (Debian: apt install python3-venv)",
        )?;
        peer.build(CMAKE_ARGS, &[])?;
        std::fs::write(peer.folder.join("peer.py"), SCRIPT).context("peer.py cannot be written")?;
        Ok(peer)
    }

    /// Has pip build and install the package.
    fn build(&self, arguments: &str, options: &[&str]) -> Result<()> {
        let mut pip = self.python();
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--prefer-binary"]);
        pip.args(options).args([PACKAGE, NUMPY]);
        if std::env::var_os("CMAKE_ARGS").is_none() {
            pip.env("CMAKE_ARGS", arguments);
        }
        self.wait(pip, INSTALL_LIMIT).with_context(|| {
            format!(
                "pip could not install {PACKAGE}; it needs a package index, and to build a C and C++ compiler (Debian: \
                 apt install build-essential python3-dev)"
            )
        })?;
        Ok(())
    }

    /// Measures every job once, in a process of its own. Where llama.cpp crashes, it is built once more without AMX.
    pub(super) fn round(&mut self, jobs: &Jobs) -> Result<Round> {
        let path = self.folder.join("jobs.json");
        let text = serde_json::to_string(jobs).context("the jobs cannot be written as JSON")?;
        std::fs::write(&path, text)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        let script = || {
            let mut script = self.python();
            script.arg(self.folder.join("peer.py")).arg(&path);
            self.wait(script, ROUND_LIMIT).context("llama.cpp could not be measured")
        };
        let mut said = script();
        if !self.plain && said.as_ref().is_err_and(|error| format!("{error:#}").contains("signal"))
        {
            self.build(WITHOUT_AMX, &["--force-reinstall", "--no-deps", "--no-cache-dir"])?;
            said = script();
            self.plain = true;
        }
        let mut round = parse(&said?)?;
        if self.plain {
            round.package.push_str(" built without AMX, which crashed");
        }
        Ok(round)
    }

    fn python(&self) -> Command {
        Command::new(self.folder.join("venv/bin/python"))
    }

    /// Runs a command to its end or the limit; gives what it printed.
    fn wait(&self, command: Command, limit: Duration) -> Result<String> {
        bounded(command, &self.folder, limit)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Nothing can be done about a folder that stays; it lies where temporary files do.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn parse(said: &str) -> Result<Round> {
    let line = said.lines().last().unwrap_or_default();
    let said: Said = serde_json::from_str(line)
        .with_context(|| format!("the script for llama.cpp printed no figures but `{line}`"))?;
    Ok(Round { package: format!("llama-cpp-python {}", said.version), figures: said.figures })
}

/// Runs a command with its output in `folder`. After `limit` it and all it started are ended.
fn bounded(mut command: Command, folder: &Path, limit: Duration) -> Result<String> {
    let (out, err) = (folder.join("out.txt"), folder.join("err.txt"));
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(File::create(&out).context("no file for a command's output")?)
        .stderr(File::create(&err).context("no file for a command's output")?)
        .process_group(0)
        .spawn()
        .with_context(|| format!("{name} cannot be started"))?;
    let status = ended(child, limit)?
        .with_context(|| format!("{name} did not end within {} s", limit.as_secs()))?;
    let [out, err] = [out, err].map(|path| std::fs::read(path).unwrap_or_default());
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (out, err) = (text(out), text(err));
    if !status.success() {
        let shown = if err.trim().is_empty() { &out } else { &err };
        bail!("{name} ended with {status}:\n{}", tail(shown));
    }
    Ok(out)
}

/// Waits for a process that leads a group; `None` when it had to be ended with its group.
fn ended(mut child: Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let group = format!("-{}", child.id());
    let (sender, end) = sync_channel(1);
    let waiting = thread::spawn(move || {
        // Nobody listens any more when the limit is over.
        let _ = sender.send(child.wait());
    });
    match end.recv_timeout(limit) {
        Ok(status) => Ok(Some(status.context("a command cannot be waited for")?)),
        Err(_) => {
            let kill = Command::new("kill").args(["-KILL", "--", &group]).status();
            ensure!(kill.is_ok_and(|status| status.success()), "process group {group} runs on");
            let _ = waiting.join();
            Ok(None)
        }
    }
}

/// The last lines of a text.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        bounded(command, folder.path(), limit)
    }

    #[test]
    fn commands_end_with_their_output_or_a_reason() {
        let long = Duration::from_secs(20);
        assert_eq!(shell("echo hello", long).unwrap(), "hello\n");
        let rows = [
            ("echo no compiler >&2; exit 3", long, "no compiler"),
            ("echo on stdout; exit 1", long, "on stdout"),
            ("sleep 30 & sleep 30", Duration::from_millis(200), "did not end within"),
        ];
        for (script, limit, expect) in rows {
            let error = format!("{:#}", shell(script, limit).unwrap_err());
            assert!(error.contains(expect), "{script}: {error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let error = bounded(Command::new("no-such-program"), folder.path(), long).unwrap_err();
        assert!(format!("{error:#}").contains("no-such-program cannot be started"), "{error:#}");
    }

    #[test]
    fn the_figures_stand_on_the_last_line() {
        let round =
            parse("a log\n{\"version\":\"1.2\",\"figures\":{\"prefill_64\":9.5}}\n").unwrap();
        assert_eq!(round.package, "llama-cpp-python 1.2");
        assert_eq!(round.figures["prefill_64"], 9.5);
        for said in ["", "Segmentation fault\n", "{\"figures\":{\"a\":\"b\"}}"] {
            assert!(format!("{:#}", parse(said).err().unwrap()).contains("no figures"), "{said}");
        }
    }
}
