# The everyday commands. `make test` is everything that has to pass.

# Outside the clone, so that a fresh clone builds on what was built before.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/porchlight/target
CARGO := cargo --locked
TEST_RUNNER := $(shell cargo nextest --version >/dev/null 2>&1 && echo "nextest run" || echo "test")

PORCHLIGHT := $(CARGO_TARGET_DIR)/debug/porchlight
EVALS := $(CARGO_TARGET_DIR)/debug/porchlight-evals

# Folder of evaluation data; without it `make eval` measures the manual alone.
EVAL_DATA ?= ../shared/data
EVAL_RUNS := $(CARGO_TARGET_DIR)/evals
EVAL_RUN := $(EVAL_RUNS)/$(shell date -u +%Y%m%d-%H%M%S)

# $(1) is the file of gates, $(2) the folder of the results: gates, and a page of all runs with the newest last.
gate_and_report = "$$evals" gate --thresholds $(1) $(2)/*.json; passed=$$?; \
	"$$evals" report --baseline evals/baselines --out $(EVAL_RUNS)/report.html $(EVAL_RUNS)/*/*.json; exit $$passed

.PHONY: run test fmt lint build models unit mail-servers tiny faults faults-all web chromium eval eval-all load baseline cuda-check

run:
	$(CARGO) run --release

test: lint models unit tiny faults web

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	$(CARGO) clippy --workspace --features server/failpoints --all-targets -- -D warnings

# One build for everything below: the program, the evals and all tests. Only here the program has failpoints.
DEBUG := --workspace --features server/failpoints

build:
	$(CARGO) build $(DEBUG) --all-targets

# The tests run the real models, found and verified the way a user's are.
models: build
	$(PORCHLIGHT) models pull minilm-l6
	$(PORCHLIGHT) models pull smollm2-135m
	$(PORCHLIGHT) models pull qwen2.5-coder-0.5b

unit: models mail-servers
	$(CARGO) $(TEST_RUNNER) $(DEBUG)

# The tests of mail run against real servers.
mail-servers:
	@{ PATH="$$PATH:/usr/sbin:/usr/local/sbin"; command -v dovecot && command -v aiosmtpd; } >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q --no-install-recommends dovecot-imapd python3-aiosmtpd; } \
	|| { echo "The tests of mail need Dovecot and aiosmtpd: install the packages 'dovecot-imapd' and 'python3-aiosmtpd' (Debian, Ubuntu)."; exit 1; }

# The smallest measurements, with gates: the manual's questions and the scripted conversations.
tiny: models
	mkdir -p $(EVAL_RUNS)/tiny
	$(EVALS) demo --json $(EVAL_RUNS)/tiny/demo.json
	$(EVALS) transcripts --spawn --untimed --json $(EVAL_RUNS)/tiny/transcripts.json
	$(EVALS) gate --thresholds evals/thresholds-tiny.toml $(EVAL_RUNS)/tiny/demo.json $(EVAL_RUNS)/tiny/transcripts.json

# Breaks the real program in every way of server/RELIABILITY.md, each under few seeds, and holds the ledger against it.
faults: models
	mkdir -p $(EVAL_RUNS)/tiny
	$(EVALS) faults --quick --json $(EVAL_RUNS)/tiny/faults.json

# The same under all seeds: about an hour and a half.
faults-all: models
	mkdir -p $(EVAL_RUNS)/tiny
	$(EVALS) faults --json $(EVAL_RUNS)/tiny/faults-all.json

# Types of the web code, then the browser tests against the real program.
web: chromium models
	cd server/web && npm ci --no-fund --no-audit && npm run check && npm test

chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| [ -n "$$CHROMIUM" ] \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q --no-install-recommends chromium; } \
	|| { echo "The browser tests need Chromium: install the package 'chromium' (Debian, Ubuntu) or set CHROMIUM to its path."; exit 1; }
	@command -v npm >/dev/null || { echo "The browser tests need Node.js 20 or newer with npm: install the packages 'nodejs' and 'npm'."; exit 1; }

# The quick measurements on all data at hand: under ten minutes on two cores.
eval:
	$(CARGO) build --release --workspace
	@evals=$(CARGO_TARGET_DIR)/release/porchlight-evals; \
	if [ -d $(EVAL_DATA) ]; then data=$(EVAL_DATA); gates=evals/thresholds.toml; \
	else data=; gates=evals/thresholds-tiny.toml; fi; \
	"$$evals" suite --quick --out $(EVAL_RUN) $$data; $(call gate_and_report,$$gates,$(EVAL_RUN))

# Everything, large folders and the decoder's speed too: about an hour.
eval-all:
	$(CARGO) build --release --workspace
	@evals=$(CARGO_TARGET_DIR)/release/porchlight-evals; \
	"$$evals" suite --out $(EVAL_RUN) $(EVAL_DATA); $(call gate_and_report,evals/thresholds.toml,$(EVAL_RUN))

# Every shape of load, on Porchlight and on its peers: about an hour on a quiet machine. evals/load.sh has the options.
load:
	$(CARGO) build --release --workspace
	evals/load.sh

# Measures the demo again and writes evals/baseline.toml.
baseline:
	$(CARGO) run --release -p evals -- demo --write evals/baseline.toml

# The demo questions on the processor and on a GPU: the same decisions? Needs the CUDA toolkit and an NVIDIA GPU.
cuda-check:
	$(CARGO) run --release -p evals --features cuda -- devices
