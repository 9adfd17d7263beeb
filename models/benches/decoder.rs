//! The decoder and the encoder at the sizes that replies have: `cargo bench -p models`.
//!
//! Times of different machines, and of a machine that others use, do not compare; `porchlight-evals speed` measures in
//! turns with llama.cpp.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]

use std::hint::black_box;
use std::path::PathBuf;

use candle_core::Device;
use candle_core::quantized::gguf_file::Content;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use models::decoder::{Cache, Decoder, Part, Want};
use models::device;
use models::encoder::Encoder;

fn folder() -> PathBuf {
    std::env::home_dir().unwrap().join(".cache/porchlight/models")
}

fn ids(count: u32) -> Vec<u32> {
    (0..count).map(|n| 100 + n * 37 % 1_000).collect()
}

fn decoder(c: &mut Criterion) {
    let path = folder().join("smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf");
    let content = Content::read(&mut std::fs::File::open(&path).unwrap()).unwrap();
    let decoder = Decoder::load(&content, &path, 2_048, device::threads(), &Device::Cpu).unwrap();
    let mut group = c.benchmark_group("smollm2-135m");
    group.sample_size(20);
    // Rows of one pass over an empty text: from a product that waits for memory to one that computes.
    for rows in [1, 2, 4, 8, 12, 32, 64, 256] {
        group.throughput(Throughput::Elements(u64::from(rows)));
        group.bench_with_input(BenchmarkId::new("rows", rows), &ids(rows), |b, ids| {
            b.iter(|| {
                decoder.forward(black_box(ids), &mut decoder.cache(), Want::Nothing).unwrap()
            });
        });
    }
    for length in [64, 512, 1_024] {
        let mut cache = decoder.cache();
        ids(length).chunks(256).for_each(|part| {
            decoder.forward(part, &mut cache, Want::Nothing).unwrap();
        });
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("a token after", length), |b| {
            b.iter(|| {
                cache.truncate(length as usize).unwrap();
                decoder.forward(black_box(&[5]), &mut cache, Want::Last).unwrap()
            });
        });
    }
    let mut caches: Vec<Cache> = (0..8).map(|_| decoder.cache()).collect();
    group.throughput(Throughput::Elements(8));
    group.bench_function("a token of each of eight texts", |b| {
        b.iter(|| {
            caches.iter_mut().for_each(|cache| cache.truncate(0).unwrap());
            let parts =
                caches.iter_mut().map(|cache| Part { tokens: &[5], cache, want: Want::Last });
            decoder.read(&mut parts.collect::<Vec<_>>()).unwrap()
        });
    });
    group.finish();
}

fn encoder(c: &mut Criterion) {
    let encoder =
        Encoder::load(&folder().join("minilm-l6"), &Device::Cpu, device::threads()).unwrap();
    let passage =
        "the parcel left our warehouse on monday morning and should reach you soon ".repeat(15);
    let mut group = c.benchmark_group("minilm-l6");
    group.sample_size(10);
    for (name, texts) in [
        ("a short question", vec!["How do I get a refund?".to_owned()]),
        ("passages", vec![passage; 64]),
    ] {
        group.throughput(Throughput::Elements(texts.len() as u64));
        group.bench_function(name, |b| b.iter(|| encoder.embed(black_box(&texts)).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, decoder, encoder);
criterion_main!(benches);
