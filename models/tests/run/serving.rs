//! Requests on the drafter's thread: replies and scores, alone and among others.

use std::ops::ControlFlow;

use candle_core::quantized::gguf_file::Content;
use engine::model::{Model, ModelError, Prompt, PromptMessage, Role, Sampling, Stop};
use models::decoder::{Decoder, Want};
use models::load;
use models::tokenizer::Tokenizer;

use super::{WORDS, chat, decoder, greedy, handle, options, say, smollm, top};

/// What the drafter writes one token at a time, without guesses or neighbours.
fn plain(decoder: &Decoder, tokenizer: &Tokenizer, prompt: &Prompt, most: usize) -> String {
    let mut cache = decoder.cache();
    let ids = models::chat::encode(tokenizer, prompt).unwrap();
    let mut logits = decoder.forward(&ids, &mut cache, Want::Last).unwrap();
    let mut bytes = Vec::new();
    for _ in 0..most {
        let id = top(logits.last());
        if tokenizer.stops.contains(&id) {
            break;
        }
        bytes.extend_from_slice(tokenizer.bytes(id));
        logits = decoder.forward(&[id], &mut cache, Want::Last).unwrap();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Questions with something to copy in them.
fn questions() -> Vec<Prompt> {
    let sentences: Vec<String> =
        WORDS.split_whitespace().collect::<Vec<_>>().chunks(9).map(|w| w.join(" ")).collect();
    let of = |n: usize| {
        let count = sentences.len();
        let (a, b) = (&sentences[n % count], &sentences[(n * 5 + n / count + 1) % count]);
        let about = b.split(' ').nth(n / 3 % 9).unwrap_or("this");
        let question = format!(
            "Passage: {a}. {b}. Repeat what the passage says about \"{about}\", word by word."
        );
        chat(&question, None)
    };
    (0..40).map(of).collect()
}

#[test]
fn guesses_and_neighbours_change_no_token() {
    let content = Content::read(&mut std::fs::File::open(smollm()).unwrap()).unwrap();
    let tokenizer = Tokenizer::from_gguf(&content).unwrap();
    let decoder = decoder(&smollm(), 2);
    let questions = questions();
    let expect: Vec<String> =
        questions.iter().map(|q| plain(&decoder, &tokenizer, q, 24)).collect();
    let before = handle().tokens_read();
    std::thread::scope(|scope| {
        let work = |from: usize| {
            let (questions, expect) = (&questions, &expect);
            move || {
                for (question, expect) in questions.iter().zip(expect).skip(from).step_by(4) {
                    assert_eq!(&say(handle(), question, 24).0, expect);
                }
            }
        };
        (0..4).for_each(|from| drop(scope.spawn(work(from))));
    });
    let prompts: usize =
        questions.iter().map(|q| models::chat::encode(&tokenizer, q).unwrap().len()).sum();
    let read = handle().tokens_read() - before;
    assert!(
        read < (prompts + 40 * 24) as u64,
        "{read} tokens read: the shared beginnings are read once"
    );
}

#[test]
fn a_seed_gives_the_same_text_alone_and_among_others() {
    let sampling = |seed| Sampling { max_tokens: 16, temperature: 0.8, seed };
    let text = |seed: u64| {
        let mut text = String::new();
        let prompt = chat("Tell me about parcels.", None);
        handle()
            .generate(&prompt, &sampling(seed), &mut |token| {
                text.push_str(&token.text);
                ControlFlow::Continue(())
            })
            .unwrap();
        text
    };
    let alone: Vec<String> = (0..6).map(text).collect();
    assert!(alone.iter().any(|other| *other != alone[0]), "seeds differ");
    std::thread::scope(|scope| {
        let together: Vec<_> = (0..6).map(|seed| scope.spawn(move || text(seed))).collect();
        for (alone, together) in alone.iter().zip(together) {
            assert_eq!(*alone, together.join().unwrap());
        }
    });
}

#[test]
fn a_second_question_reads_only_what_is_new() {
    let system = WORDS.repeat(2);
    let message = |role, text: &str| PromptMessage { role, text: text.into() };
    let ask = |question: &str| {
        let messages = vec![message(Role::System, &system), message(Role::User, question)];
        let before = handle().tokens_read();
        say(handle(), &Prompt { messages }, 1);
        handle().tokens_read() - before
    };
    let first = ask("Where is the zebra that I ordered?");
    assert!(first > 150, "{first}");
    for question in ["When will my refund come?", "Can I change the address?"] {
        let next = ask(question);
        assert!(next < 40, "{next} tokens of a new chat with the same instructions");
    }
}

#[test]
fn text_repeats_itself_and_stops_when_told() {
    let prompt = chat("What is the capital of France?", None);
    let (text, _) = say(handle(), &prompt, 24);
    assert!(text.contains("Paris"), "{text}");
    assert_eq!(
        say(handle(), &prompt, 24).0,
        text,
        "greedy text repeats itself, with and without a warm cache"
    );
    let mut seen = 0;
    let stop = handle().generate(&prompt, &greedy(24), &mut |_| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((stop.unwrap(), seen), (Stop::Cancelled, 3));
    assert_eq!(say(handle(), &prompt, 24).0, text, "a cancelled reply leaves no trace");
}

#[test]
fn scores_prefer_what_follows() {
    let prompt = chat("What is the capital of France?", Some("The capital of France is"));
    let scores = handle().score(&prompt, &[" Paris.", " a banana.", ""]).unwrap();
    assert!(scores[0] > scores[1], "{scores:?}");
    assert_eq!(scores[2], 0.0);
    // One row and many rows run through different kernels, which round differently.
    let again = handle().score(&prompt, &[" Paris."]).unwrap()[0];
    assert!((again - scores[0]).abs() < 0.05, "{again} {}", scores[0]);
}

#[test]
fn the_oldest_texts_are_forgotten() {
    let ask = |n: usize| {
        let text = format!("Chat {n}. {WORDS}");
        let before = handle().tokens_read();
        say(handle(), &chat(&text, None), 1);
        handle().tokens_read() - before
    };
    let first = ask(1_000);
    assert!(first > 80, "{first}");
    assert!(ask(1_000) < 5, "it was read a moment ago");
    (1_001..1_012).for_each(|n| assert!(ask(n) > 60, "chat {n} is new"));
    assert!(ask(1_000) > 60, "eight others came after it");
}

#[test]
fn a_request_that_does_not_fit_leaves_the_others_alone() {
    let prompt = chat("What is the capital of France?", None);
    let expect = say(handle(), &prompt, 24).0;
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| say(handle(), &prompt, 24).0);
        for _ in 0..4 {
            let error = handle().score(&prompt, &[" Paris", &"word ".repeat(1100)]);
            assert!(matches!(error, Err(ModelError::TooLong { limit: 1024, .. })), "{error:?}");
            assert_eq!(say(handle(), &prompt, 0), (String::new(), Stop::Length));
        }
        assert_eq!(beside.join().unwrap(), expect);
    });
}

#[test]
fn long_spans_score_as_their_words_do() {
    let prompt = chat("Repeat the text.", Some("The text:"));
    let span = format!(" {}", WORDS.repeat(2));
    let scores = handle().score(&prompt, &[&span, " Paris.", &span]).unwrap();
    assert_eq!(scores[0], scores[2], "a span leaves no trace");
    let content = Content::read(&mut std::fs::File::open(smollm()).unwrap()).unwrap();
    let tokenizer = Tokenizer::from_gguf(&content).unwrap();
    let decoder = decoder(&smollm(), 1);
    let (ids, words) =
        (models::chat::encode(&tokenizer, &prompt).unwrap(), tokenizer.encode(&span).unwrap());
    assert!(words.len() > 64, "longer than a pass takes");
    let mut cache = decoder.cache();
    let mut total = 0.0;
    let mut logits = decoder.forward(&ids, &mut cache, Want::Last).unwrap();
    for id in &words {
        total += models::sampler::logprob(logits.last(), *id).unwrap();
        logits = decoder.forward(&[*id], &mut cache, Want::Last).unwrap();
    }
    assert!((total / words.len() as f32 - scores[0]).abs() < 1e-5);
}

#[test]
fn too_long_prompts_are_refused() {
    let error = handle().generate(&chat(&"word ".repeat(3000), None), &greedy(1), &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(error, Err(ModelError::TooLong { limit: 1024, .. })), "{error:?}");
}

#[test]
fn a_damaged_drafter_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.gguf");
    let whole = std::fs::read(smollm()).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = load(&options(path)).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("short.gguf") && error.contains("cut short"), "{error}");
}
