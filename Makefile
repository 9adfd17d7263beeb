# The everyday commands. `make test` is everything that has to pass.

# Outside the clone, so that a fresh clone builds on what was built before.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/porchlight/target
CARGO := cargo --locked
TEST_RUNNER := $(shell cargo nextest --version >/dev/null 2>&1 && echo "nextest run" || echo "test")

PORCHLIGHT := $(CARGO_TARGET_DIR)/debug/porchlight

.PHONY: run test fmt lint build models unit web chromium eval baseline

run:
	$(CARGO) run --release

test: lint models unit web

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# One build for everything below: the program, the evals and all tests.
build:
	$(CARGO) build --workspace --all-targets

# The tests run the real models, found and verified the way a user's are.
models: build
	$(PORCHLIGHT) models pull minilm-l6
	$(PORCHLIGHT) models pull smollm2-135m
	$(PORCHLIGHT) models pull qwen2.5-coder-0.5b

unit: models
	$(CARGO) $(TEST_RUNNER) --workspace

# Types of the web code, then the browser tests against the real program.
web: chromium models
	cd server/web && npm ci --no-fund --no-audit && npm run check && npm test

chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| [ -n "$$CHROMIUM" ] \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q --no-install-recommends chromium; } \
	|| { echo "The browser tests need Chromium: install the package 'chromium' (Debian, Ubuntu) or set CHROMIUM to its path."; exit 1; }
	@command -v npm >/dev/null || { echo "The browser tests need Node.js 20 or newer with npm: install the packages 'nodejs' and 'npm'."; exit 1; }

# Figures over the demo knowledge and its transcripts; `porchlight-evals --help` names the other measurements.
eval:
	$(CARGO) build --release --workspace
	$(CARGO_TARGET_DIR)/release/porchlight-evals demo
	$(CARGO_TARGET_DIR)/release/porchlight-evals transcripts --spawn

# Measures the demo again and writes evals/baseline.toml.
baseline:
	$(CARGO) run --release -p evals -- demo --write evals/baseline.toml
