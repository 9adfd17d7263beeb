# The everyday commands. `make test` is everything that has to pass.

# Outside the clone, so that a fresh clone builds on what was built before.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/porchlight/target
CARGO := cargo --locked
TEST_RUNNER := $(shell cargo nextest --version >/dev/null 2>&1 && echo "nextest run" || echo "test")

.PHONY: run test lint unit web models chromium eval baseline fmt

run:
	$(CARGO) run --release

test: lint models unit web

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# The tests run the real models, found and verified the way a user's are.
models:
	$(CARGO) run --quiet -- models pull minilm-l6
	$(CARGO) run --quiet -- models pull smollm2-135m
	$(CARGO) run --quiet -- models pull qwen2.5-coder-0.5b

unit:
	$(CARGO) $(TEST_RUNNER) --workspace

# Types of the web code, then the browser tests against the real binary.
web: chromium
	$(CARGO) build -p server
	cd server/web && npm ci --no-fund --no-audit && npm run check && npm test

chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q --no-install-recommends chromium; } \
	|| { echo "The browser tests need Chromium: install the package 'chromium' (Debian, Ubuntu) or set CHROMIUM to its path."; exit 1; }

# Figures over the demo knowledge and, with DATA=DIR, over evaluation sets in the shapes of the README.
eval:
	$(CARGO) run --release -p evals -- quote --knowledge knowledge --cases evals/cases/demo

baseline:
	$(CARGO) run --release -p evals -- baseline
