#!/usr/bin/env bash
# Lints the fuzz targets, replays the corpus, builds the targets and runs each of them, two at a
# time: for 20 seconds, or as many as are given. What is found on the way is not added to the corpus.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-20}

cargo fmt -- --check
if [ -z "${CXX:-}" ] && ! command -v c++ >/dev/null; then
    echo "NOT FUZZED: libFuzzer is built by a C++ compiler, and there is no c++ here"
    exit 0
fi

# One way for every machine, whatever other toolchains it has and in whatever state they are.
cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz
fuzz=(env RUSTC_BOOTSTRAP=1 cargo fuzz)

cargo clippy --all-targets -- -D warnings
cargo test

# The core has no unsafe code, so no sanitizer is needed, and without one more is tried in a second.
"${fuzz[@]}" build -s none

# The limit for one input is for what never ends: a machine that pauses is to reach none.
run() {
    local target=$1 fresh=target/fresh/$1 log=target/fresh/$1.log
    rm -rf "$fresh"
    mkdir -p "$fresh"
    if "${fuzz[@]}" run -s none "$target" "$fresh" "corpus/$target" -- \
        -dict=msnp.dict -max_len=1024 -max_total_time="$seconds" -timeout=300 -rss_limit_mb=1024 \
        >"$log" 2>&1; then
        echo "$target: $(grep -o 'DONE.*exec/s: [0-9]*' "$log")"
    else
        echo "$target: a finding, see fuzz/README.md"
        tail -n 60 "$log"
        return 1
    fi
}

waiting=()
failed=0
for target in $("${fuzz[@]}" list); do
    run "$target" &
    waiting+=($!)
    if [ ${#waiting[@]} -ge 2 ]; then
        wait "${waiting[0]}" || failed=1
        waiting=("${waiting[@]:1}")
    fi
done
for pid in "${waiting[@]}"; do
    wait "$pid" || failed=1
done
exit $failed
