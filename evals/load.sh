#!/bin/sh
# Runs all shapes of load one after the other, each bounded in time, and the ledger's check where one is kept.
#
#   evals/load.sh [porchlight] [socketio] [socketio-recover] [socketioxide]      all four unless named
#
# BIN      folder of porchlight and porchlight-evals            (the release build)
# OUT      folder for results, one JSON file a run              (a new one below the target folder)
# WORK     folder for databases; its disk is what is measured   (below OUT)
# LOGS     folder for the ledger's logs. They have to outlive the server, not the machine, and their syncs must not
#          slow the server's own: memory will do               (below /dev/shm)
# SCALE    divides all counts and times: 20 tries everything out in a few minutes   (1)
# PIN      1 holds the server on core 0 and the driver on core 1; 0 leaves both free   (0)
set -eu
cd "$(dirname "$0")/.."

TARGET=${CARGO_TARGET_DIR:-$HOME/.cache/porchlight/target}
BIN=${BIN:-$TARGET/release}
OUT=${OUT:-$TARGET/load/$(date -u +%Y%m%d-%H%M%S)}
WORK=${WORK:-$OUT/work}
LOGS=${LOGS:-/dev/shm/porchlight-load-$$}
SCALE=${SCALE:-1}
PORT=7931
if [ "${PIN:-0}" = 1 ]; then server_on="taskset -c 0 "; driver_on="taskset -c 1"; else server_on=""; driver_on=""; fi
mkdir -p "$OUT" "$WORK" "$LOGS"
trap 'rm -rf "$LOGS" "$WORK"' EXIT
failed=""

# A count or a time by the scale, at least $2.
part() { n=$(($1 / SCALE)); if [ "$n" -lt "$2" ]; then echo "$2"; else echo "$n"; fi; }

# drive SECONDS NAME SHAPE OPTIONS…: one run, ended after that time; a failure is noted and the next one goes on.
drive() {
  limit=$1 name=$2; shift 2
  echo "== $name"
  timeout "$limit" $driver_on "$BIN/porchlight-evals" drive "$@" --server "127.0.0.1:$PORT" \
    --label "$name" --json "$OUT/$name.json" 2>"$OUT/$name.log" || { failed="$failed $name"; tail -3 "$OUT/$name.log"; }
  sleep "$(part 20 1)"
}

# ledger NAME: the logs against the database of the run before.
ledger() {
  "$BIN/porchlight" dump --data-dir "$WORK/$1" >"$OUT/$1.dump.jsonl" 2>>"$OUT/$1.log" &&
    "$BIN/porchlight-evals" ledger --dump "$OUT/$1.dump.jsonl" "$LOGS/$1"/*.jsonl || failed="$failed $1-ledger"
  rm -rf "$OUT/$1.dump.jsonl" "${LOGS:?}/$1" "${WORK:?}/$1"
}

porchlight() {
  # kept LIMIT NAME SHAPE…: with a ledger; bare: without, for latencies.
  command_for() {
    echo "${server_on}$BIN/porchlight serve --config evals/cases/load/porchlight.toml --listen 127.0.0.1:$PORT --data-dir $WORK/$1"
  }
  kept() {
    limit=$1 name=$2; shift 2
    drive "$limit" "$name" "$@" --server-command "$(command_for "$name")" --ledger "$LOGS/$name"
    ledger "$name"
  }
  bare() {
    limit=$1 name=$2; shift 2
    drive "$limit" "$name" "$@" --server-command "$(command_for "$name")"
    rm -rf "${WORK:?}/$name"
  }
  bare 300 porchlight-rooms rooms --rooms "$(part 5000 50)" --rate "$(part 500 20)" --seconds "$(part 60 10)"
  bare 240 porchlight-accepts accepts --writers "$(part 400 50)" --seconds "$(part 20 5)" --data-dir "$WORK"
  bare 240 porchlight-busy busy --seconds "$(part 60 15)"
  kept 420 porchlight-jitter jitter --clients "$(part 5000 50)" --seconds "$(part 160 35)"
  kept 420 porchlight-jitter-second jitter --second --clients "$(part 5000 50)" --seconds "$(part 160 35)"
  kept 360 porchlight-avalanche-5k avalanche --clients "$(part 5000 50)"
  kept 360 porchlight-avalanche-10k avalanche --clients "$(part 10000 50)"
  bare 1000 porchlight-idle idle --sockets "$(part 19000 100)" --seconds "$(part 600 10)"
}

# The same shapes, as far as a peer has them: no disk, no bot.
peer() {
  name=$1 command=$server_on$2
  drive 300 "$name-rooms" rooms --peer socketio --rooms "$(part 5000 50)" --rate "$(part 500 20)" --seconds "$(part 60 10)" --server-command "$command"
  drive 420 "$name-jitter-second" jitter --peer socketio --second --clients "$(part 5000 50)" --seconds "$(part 160 35)" --server-command "$command"
  drive 360 "$name-avalanche-5k" avalanche --peer socketio --clients "$(part 5000 50)" --server-command "$command"
  drive 360 "$name-avalanche-10k" avalanche --peer socketio --clients "$(part 10000 50)" --server-command "$command"
  drive 400 "$name-idle" idle --peer socketio --sockets "$(part 19000 100)" --seconds "$(part 60 10)" --server-command "$command"
}

socketio() {
  [ -d evals/peers/socketio/node_modules ] || (cd evals/peers/socketio && npm ci --no-fund --no-audit --ignore-scripts)
  peer "$1" "node evals/peers/socketio/server.js --port $PORT $2"
}

for which in ${*:-porchlight socketio socketio-recover socketioxide}; do
  case $which in
    porchlight) porchlight ;;
    socketio) socketio socketio "" ;;
    socketio-recover) socketio socketio-recover --recover ;;
    socketioxide)
      CARGO_TARGET_DIR="$TARGET/peers" cargo build --release --locked --manifest-path evals/peers/socketioxide/Cargo.toml
      peer socketioxide "$TARGET/peers/release/porchlight-peer-socketioxide $PORT" ;;
    *) echo "$which is none of porchlight, socketio, socketio-recover, socketioxide"; exit 2 ;;
  esac
done

echo "Results are in $OUT"
if [ -n "$failed" ]; then echo "These failed:$failed"; exit 1; fi
