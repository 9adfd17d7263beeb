//! The rules of the house (design, section 6), held over every file of the workspace.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A source file with its path below the root.
struct Source {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let skipped = ["target", "node_modules", "vendor", "data"].contains(&name.as_str());
            if path.is_dir() {
                if !skipped && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if endings.iter().any(|end| name.ends_with(end)) {
                let below = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { text: fs::read_to_string(&path).unwrap(), path: below });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no {endings:?} files found");
    found
}

fn rust() -> Vec<Source> {
    sources(&[".rs"])
}

/// The code without comment lines.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether `word` stands in `line` with no letter, digit or underscore around it.
fn names(line: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !part(line[..at].chars().next_back()) && !part(line[at + word.len()..].chars().next())
    })
}

/// No file below `folder` names one of `words`; returns each place that does.
fn places(folder: &str, words: &[&str], except: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in rust().iter().filter(|s| s.path.starts_with(folder)) {
        if except.iter().any(|path| source.path.starts_with(path)) {
            continue;
        }
        for (number, line) in code(&source.text) {
            if let Some(word) = words.iter().find(|word| names(line, word)) {
                found.push(format!("{}:{}: names {word}", source.path, number + 1));
            }
        }
    }
    found
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_top_level_is_fixed() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "CHANGELOG.md",
        "README.md",
        "Makefile",
        "SECURITY.md",
        "engine",
        "retrieval",
        "server",
        "models",
        "knowledge",
        "prompts",
        "evals",
        "clippy.toml",
        "rustfmt.toml",
        "deny.toml",
    ];
    let ignored = ["target", "data"];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let known = allowed.contains(&name.as_str()) || ignored.contains(&name.as_str());
        assert!(known || name.starts_with('.'), "{name} does not belong at the top level");
    }
}

#[test]
fn engine_is_pure() {
    let words = [
        "candle",
        "candle_core",
        "tokenizers",
        "tantivy",
        "hnsw_rs",
        "tokio",
        "axum",
        "sqlx",
        "std::fs",
        "std::net",
        "std::thread",
        "Instant",
        "SystemTime",
        "rand",
        "getrandom",
    ];
    none(places("engine/src/", &words, &[]));
}

#[test]
fn retrieval_and_models_keep_to_themselves() {
    // Tantivy has a method of that name; the crate is what must not be there.
    let words =
        ["candle", "candle_core", "candle_nn", "use tokenizers", "tokio", "axum", "sqlx", "models"];
    none(places("retrieval/src/", &words, &[]));
    let words = ["tantivy", "hnsw_rs", "axum", "sqlx", "reqwest", "retrieval"];
    none(places("models/src/", &words, &[]));
}

#[test]
fn manifests_hold_the_arrows() {
    for (manifest, forbidden) in [
        ("engine", ["retrieval", "models", "server", "evals"].as_slice()),
        ("retrieval", &["models", "server", "evals"]),
        ("models", &["retrieval", "server", "evals"]),
        ("server", &["evals"]),
        ("evals", &["server"]),
    ] {
        let text = fs::read_to_string(root().join(manifest).join("Cargo.toml")).unwrap();
        for name in forbidden {
            let depends = text.lines().any(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.trim_start().starts_with(['.', '=']))
            });
            assert!(!depends, "{manifest} must not depend on {name}");
        }
    }
}

#[test]
fn sql_stays_in_the_store_and_http_clients_in_outbound() {
    none(places("server/src/", &["sqlx"], &["server/src/store/"]));
    none(places("server/src/", &["reqwest"], &["server/src/outbound"]));
    for crate_ in ["engine/", "retrieval/", "models/", "evals/src/"] {
        none(places(crate_, &["reqwest", "sqlx"], &[]));
    }
    let statements = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"];
    for source in rust().iter().filter(|s| s.path.starts_with("server/src/")) {
        let inside = source.path.starts_with("server/src/store/");
        for (number, line) in code(&source.text) {
            let sql = statements.iter().any(|s| line.contains(s));
            assert!(inside || !sql, "{}:{}: SQL outside the store", source.path, number + 1);
        }
    }
}

#[test]
fn gpu_cfg_stays_in_one_file() {
    none(places(
        "",
        &["feature = \"cuda\""],
        &["models/src/device.rs", "evals/tests/architecture.rs"],
    ));
}

#[test]
fn two_traits_at_the_seams() {
    let mut traits = Vec::new();
    for source in rust().iter().filter(|s| s.path.contains("/src/")) {
        let declared = code(&source.text).filter(|(_, line)| {
            line.trim_start().starts_with("pub trait ") || line.trim_start().starts_with("trait ")
        });
        traits.extend(declared.map(|_| source.path.clone()));
    }
    assert_eq!(traits, ["engine/src/model.rs", "engine/src/search.rs"]);
}

#[test]
fn files_open_with_what_they_are_for() {
    for source in rust() {
        assert!(
            source.text.starts_with("//! "),
            "{}: the first line says what the file is for",
            source.path
        );
    }
    for source in sources(&[".js", ".mjs", ".css"]) {
        let first = source.text.trim_start_matches("#!/usr/bin/env node\n");
        let comment = first.starts_with("//") || first.starts_with("/*");
        assert!(comment, "{}: the first line says what the file is for", source.path);
    }
}

#[test]
fn files_are_short_and_well_named() {
    for source in sources(&[".rs", ".js", ".mjs", ".css"]) {
        let lines = source.text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", source.path);
        let stem = Path::new(&source.path).file_stem().unwrap().to_string_lossy().into_owned();
        for vague in ["utils", "util", "common", "helpers", "helper", "misc"] {
            let folder = source.path.split('/').any(|part| part == vague);
            assert!(stem != vague && !folder, "{}: name what is in it", source.path);
        }
    }
}

/// Length in lines of each function of a formatted file: from `fn` to the closing brace at its own indent.
fn function_lengths(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let is_start = |line: &str| {
        let bare = line.trim_start();
        let head = bare.split('(').next().unwrap_or_default();
        names(head, "fn") && !bare.starts_with("//") && !bare.contains('"')
    };
    let length = |start: usize| {
        let indent = lines[start].len() - lines[start].trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        lines[start..].iter().position(|line| *line == end).map(|offset| offset + 1)
    };
    (0..lines.len()).filter(|n| is_start(lines[*n])).filter_map(length).collect()
}

#[test]
fn nine_functions_in_ten_are_under_forty_lines() {
    let mut lengths: Vec<usize> = rust().iter().flat_map(|s| function_lengths(&s.text)).collect();
    lengths.sort_unstable();
    assert!(lengths.len() > 100, "only {} functions found", lengths.len());
    let p90 = lengths[lengths.len() * 9 / 10];
    assert!(p90 < 40, "the 90th percentile is {p90} lines");
}

#[test]
fn nothing_is_left_open() {
    let marks = ["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "static mut", "#[allow("];
    for source in rust().iter().filter(|s| s.path != "evals/tests/architecture.rs") {
        for (number, line) in source.text.lines().enumerate() {
            let open = marks.iter().find(|mark| line.contains(*mark));
            assert!(open.is_none(), "{}:{}: {}", source.path, number + 1, open.unwrap_or(&""));
        }
    }
}

#[test]
fn thresholds_change_only_with_a_baseline() {
    let baseline = fs::read_to_string(root().join("evals/baseline.toml")).unwrap();
    for path in ["prompts/policy.toml", "engine/src/confidence.rs", "models/manifest.toml"] {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let digest = Sha256::digest(&text);
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let line = format!("\"{path}\" = \"{hash}\"");
        assert!(
            baseline.contains(&line),
            "{path} changed: measure again (`make baseline`), then put `{line}` under [sources] of evals/baseline.toml"
        );
    }
}

#[test]
fn the_rules_catch_what_they_forbid() {
    assert!(names("use sqlx::query;", "sqlx"));
    assert!(!names("let sqlx_like = 1;", "sqlx"));
    assert_eq!(function_lengths("fn a() {\n    b();\n}\n"), [3]);
    assert_eq!(code("// SELECT \nlet x = 1;").count(), 1);
}
