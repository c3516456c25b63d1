#!/usr/bin/env bash
# Fuzzes every decoder at once for a number of seconds, on as many cores as there are.
#
#   fuzz/all.sh DECODERS CORPUS OUT [SECONDS]
#
# DECODERS is the binary that build.sh made, CORPUS the kept corpus. OUT gets a report (`report.txt`), inputs
# that crashed, hung or took too much memory, and for each target a corpus made small again.
set -u
decoders=$(realpath "$1"); corpus=$(realpath "$2"); out=$3; seconds=${4:-540}
mkdir -p "$out"; out=$(realpath "$out")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
# Slow decoders get more of the processes.
plan="filter:1:1024 config:1:1024 request:1:2048 trec:1:1024 index:2:8192 jsonl:3:512 csv:3:384 xlsx:2:2048 model:2:4096"
cores=$(nproc)
total=0; for p in $plan; do n=${p#*:}; total=$((total + ${n%%:*})); done
end=$(($(date +%s) + seconds))

# One process: begins again after a crash, until the time is over.
one() {
  local target=$1 number=$2 most=$3 own="$work/$1-$2" turn=0 left
  mkdir -p "$own"; cp -r "$corpus/$target/." "$own/" 2>/dev/null
  while left=$((end - $(date +%s))); [ "$left" -gt 1 ] && [ "$turn" -lt 40 ]; do
    turn=$((turn + 1))
    # The input that a process is at, in a folder of its own.
    QUEQIAO_FUZZ=$target "$decoders" "$own" -max_total_time="$left" -print_final_stats=1 -max_len="$most" -reload=0 \
      -rss_limit_mb=3072 -malloc_limit_mb=2048 -timeout=20 -seed=$((number * 1000 + turn)) -verbosity=1 \
      -artifact_prefix="$out/$target-" >"$work/$target-$number-$turn.log" 2>&1
    local code=$?
    if [ $code -ne 0 ]; then
      { echo "== $target, process $number, turn $turn, exit $code"; tail -n 40 "$work/$target-$number-$turn.log"; } >>"$out/crashes.txt"
    fi
  done
}

for p in $plan; do
  target=${p%%:*}; rest=${p#*:}; n=${rest%%:*}; most=${rest#*:}
  # On fewer cores, one process each.
  [ "$cores" -lt "$total" ] && [ "$cores" -lt 12 ] && n=1
  for i in $(seq "$n"); do one "$target" "$i" "$most" & done
done
wait
{
  echo "cores $cores, seconds $seconds, $(date -u +%FT%TZ)"
  for p in $plan; do
    target=${p%%:*}
    runs=$(grep -ah 'stat::number_of_executed_units' "$work"/"$target"-*.log | awk '{s += $2} END {print s + 0}')
    # A process that crashed says so only in its pulse.
    for log in "$work"/"$target"-*.log; do
      grep -aq 'stat::number_of_executed_units' "$log" || runs=$((runs + $(grep -ao '^#[0-9]*' "$log" | tail -n 1 | tr -d '#' || echo 0)))
    done
    crashes=$(find "$out" -maxdepth 1 -name "$target-*" | wc -l)
    cover=$(grep -aho 'cov: [0-9]*' "$work"/"$target"-*.log | awk '{if ($2 > m) m = $2} END {print m + 0}')
    echo "$target: $runs executions, $cover counters reached, $crashes inputs that failed"
  done
} | tee "$out/report.txt"
# What is worth keeping.
for p in $plan; do
  target=${p%%:*}
  mkdir -p "$out/corpus/$target"
  QUEQIAO_FUZZ=$target timeout 60 "$decoders" -merge=1 -max_len=8192 -rss_limit_mb=3072 -timeout=20 "$out/corpus/$target" "$work/$target"-*/ >/dev/null 2>&1 &
done
wait
tar -C "$out" -czf "$out/corpus.tar.gz" corpus && rm -rf "$out/corpus"
